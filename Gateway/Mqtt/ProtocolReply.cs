using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;

namespace Broker.Gateway.Mqtt;

/// <summary>What a fault of the client leads to: an answer and the fate of the connection.</summary>
/// <remarks>Built by <see cref="V3Rules"/> or <see cref="V5Rules"/> without side effects; applied by <see cref="Connection"/> alone,
/// on the channel's event loop.</remarks>
/// <param name="Answer">What is sent; null for nothing.</param>
/// <param name="Close">Whether the connection ends.</param>
internal readonly record struct ProtocolReply(ControlPacket? Answer, bool Close);

/// <summary>What one protocol version answers where the versions differ.</summary>
internal abstract class ProtocolRules
{
    /// <summary>The rules of a version.</summary>
    public static ProtocolRules Of(ProtocolVersion version) => version == ProtocolVersion.V5 ? V5Rules.Instance : V3Rules.Instance;

    /// <summary>The connection cannot go on: why is told where the version can tell.</summary>
    /// <param name="serverReference">Where the client is to go instead; null if nowhere in particular.</param>
    public abstract ProtocolReply Disconnect(ReasonCode code, string? reason, string? serverReference);

    /// <summary>The CONNECT is refused.</summary>
    public abstract ProtocolReply Refuse(ReasonCode code, string? reason);

    /// <summary>Whether a refused QoS 1 or 2 PUBLISH is answered with its code (5.0), or not at all and by closing soon, so that the client tries again (3.x).</summary>
    public abstract bool AnswersRefusedPublish { get; }

    /// <summary>A PUBLISH denied by access rules: whether it is acknowledged as if nothing were wrong (3.x has no way to say no).</summary>
    public abstract bool AcknowledgesDeniedPublish { get; }
}

/// <summary>MQTT 3.1 and 3.1.1.</summary>
internal sealed class V3Rules : ProtocolRules
{
    public static readonly V3Rules Instance = new();

    public override bool AnswersRefusedPublish => false;

    public override bool AcknowledgesDeniedPublish => true;

    /// <inheritdoc/>
    /// <remarks>The server has no DISCONNECT to send: it closes. [3.1.1 MQTT-4.8.0-1]</remarks>
    public override ProtocolReply Disconnect(ReasonCode code, string? reason, string? serverReference) => new(null, Close: true);

    /// <inheritdoc/>
    /// <remarks>Only what has a return code of its own is answered; a malformed CONNECT closes. [3.1.1 MQTT-3.1.4-1]</remarks>
    public override ProtocolReply Refuse(ReasonCode code, string? reason) => code switch
    {
        ReasonCode.MalformedPacket or ReasonCode.ProtocolError or ReasonCode.PacketTooLarge => new(null, Close: true),
        _ => new(new ConnackPacket { Code = code }, Close: true),
    };
}

/// <summary>MQTT 5.0.</summary>
internal sealed class V5Rules : ProtocolRules
{
    public static readonly V5Rules Instance = new();

    public override bool AnswersRefusedPublish => true;

    public override bool AcknowledgesDeniedPublish => false;

    public override ProtocolReply Disconnect(ReasonCode code, string? reason, string? serverReference) =>
        new(new DisconnectPacket(code) { ReasonString = reason, ServerReference = serverReference }, Close: true);

    public override ProtocolReply Refuse(ReasonCode code, string? reason) => new(new ConnackPacket { Code = ForConnack(code), ReasonString = reason }, Close: true);

    /// <summary>The nearest code that CONNACK may have. [MQTT-3.2.2-8]</summary>
    private static ReasonCode ForConnack(ReasonCode code) => code switch
    {
        ReasonCode.ServerShuttingDown => ReasonCode.ServerUnavailable,
        ReasonCode.KeepAliveTimeout or ReasonCode.SessionTakenOver or ReasonCode.AdministrativeAction => ReasonCode.UnspecifiedError,
        _ => code,
    };
}
