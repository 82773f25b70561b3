namespace Broker.Gateway.Mqtt.Codec.V5;

/// <summary>Which properties a packet from a client may carry, a bit for each identifier. User properties go with every set.</summary>
internal static class PropertySet
{
    /// <summary>CONNECT. [MQTT-3.1.2.11]</summary>
    public const ulong Connect =
        User | 1UL << (int)PropertyId.SessionExpiryInterval | 1UL << (int)PropertyId.ReceiveMaximum | 1UL << (int)PropertyId.MaximumPacketSize
        | 1UL << (int)PropertyId.TopicAliasMaximum | 1UL << (int)PropertyId.RequestResponseInformation
        | 1UL << (int)PropertyId.RequestProblemInformation | Authentication;

    /// <summary>The will of a CONNECT. [MQTT-3.1.3.2]</summary>
    public const ulong Will = User | Message | 1UL << (int)PropertyId.WillDelayInterval;

    /// <summary>PUBLISH; the subscription identifier is for the server alone. [MQTT-3.3.2.3], [MQTT-3.3.4-6]</summary>
    public const ulong Publish = User | Message | 1UL << (int)PropertyId.TopicAlias;

    /// <summary>PUBACK, PUBREC, PUBREL and PUBCOMP. [MQTT-3.4.2.2]</summary>
    public const ulong Acknowledgement = User | 1UL << (int)PropertyId.ReasonString;

    /// <summary>SUBSCRIBE. [MQTT-3.8.2.1]</summary>
    public const ulong Subscribe = User | 1UL << (int)PropertyId.SubscriptionIdentifier;

    /// <summary>UNSUBSCRIBE. [MQTT-3.10.2.1]</summary>
    public const ulong Unsubscribe = User;

    /// <summary>DISCONNECT; the server reference is for the server alone. [MQTT-3.14.2.2]</summary>
    public const ulong Disconnect = User | 1UL << (int)PropertyId.SessionExpiryInterval | 1UL << (int)PropertyId.ReasonString;

    /// <summary>AUTH. [MQTT-3.15.2.2]</summary>
    public const ulong Auth = User | Authentication | 1UL << (int)PropertyId.ReasonString;

    /// <summary>What exists, but only a server sends, in packets that a client sends too.</summary>
    public const ulong ServerOnly = 1UL << (int)PropertyId.SubscriptionIdentifier | 1UL << (int)PropertyId.ServerReference;

    private const ulong User = 1UL << (int)PropertyId.UserProperty;

    private const ulong Authentication = 1UL << (int)PropertyId.AuthenticationMethod | 1UL << (int)PropertyId.AuthenticationData;

    private const ulong Message =
        1UL << (int)PropertyId.PayloadFormatIndicator | 1UL << (int)PropertyId.MessageExpiryInterval | 1UL << (int)PropertyId.ContentType
        | 1UL << (int)PropertyId.ResponseTopic | 1UL << (int)PropertyId.CorrelationData;
}
