using Broker.Grains.Interfaces.Messages;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>When a subscription is sent what is retained. [MQTT-3.8.3.1]</summary>
public enum RetainHandling : byte
{
    /// <summary>At every SUBSCRIBE. [MQTT-3.3.1-9]</summary>
    Send = 0,

    /// <summary>Only if the subscription did not exist. [MQTT-3.3.1-10]</summary>
    SendIfNew = 1,

    /// <summary>Never. [MQTT-3.3.1-11]</summary>
    DoNotSend = 2,
}

/// <summary>The options of one subscription. [MQTT-3.8.3.1]</summary>
/// <remarks>Eight bytes, so that a million of them stay small.</remarks>
/// <param name="Qos">The maximum QoS at which the session wants the messages.</param>
/// <param name="NoLocal">The session's own messages are not sent to it. [MQTT-3.8.3-3]</param>
/// <param name="RetainAsPublished">The RETAIN flag is forwarded as it came. [MQTT-3.3.1-12], [MQTT-3.3.1-13]</param>
/// <param name="RetainHandling">When to send what is retained.</param>
/// <param name="Identifier">The subscription identifier, 1 to 268,435,455; 0 when there is none. [MQTT-3.3.4-3]</param>
[GenerateSerializer, Immutable, Alias("SubscriptionOptions")]
public readonly record struct SubscriptionOptions(
    [property: Id(0)] Qos Qos,
    [property: Id(1)] bool NoLocal = false,
    [property: Id(2)] bool RetainAsPublished = false,
    [property: Id(3)] RetainHandling RetainHandling = RetainHandling.Send,
    [property: Id(4)] int Identifier = 0);
