namespace Broker.Grains.Interfaces.Messages;

/// <summary>Quality of service. [MQTT-4.3]</summary>
public enum Qos : byte
{
    /// <summary>QoS 0: fire and forget.</summary>
    AtMostOnce = 0,

    /// <summary>QoS 1: acknowledged, perhaps repeated.</summary>
    AtLeastOnce = 1,

    /// <summary>QoS 2: acknowledged in two steps, never repeated.</summary>
    ExactlyOnce = 2,
}
