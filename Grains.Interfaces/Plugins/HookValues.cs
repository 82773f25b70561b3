using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Grains.Interfaces.Plugins;

/// <summary>What a CONNECT asks for that a callback may change. [MQTT-3.1.2.11]</summary>
public sealed record ConnectProperties
{
    /// <summary>In seconds; null as if it were absent.</summary>
    public uint? SessionExpiryInterval { get; init; }

    /// <summary>1 or more.</summary>
    public ushort ReceiveMaximum { get; init; } = ushort.MaxValue;

    /// <summary>In bytes, 1 or more; null is no limit.</summary>
    public uint? MaximumPacketSize { get; init; }

    public ushort TopicAliasMaximum { get; init; }

    public UserProperty[] UserProperties { get; init; } = [];
}

/// <summary>A client that says who it is.</summary>
/// <param name="Password">As it came; null if it gave none. Not to be kept.</param>
public sealed record AuthenticateRequest(ClientContext Client, ReadOnlyMemory<byte>? Password);

/// <summary>Whether a client is who it says.</summary>
/// <param name="IsAllowed">False refuses it with <paramref name="Code"/>.</param>
/// <param name="Reason">For the operator, who asks why a client was refused; never sent to the client.</param>
public sealed record AuthenticateAnswer(bool IsAllowed, bool IsSuperuser = false, ReasonCode Code = ReasonCode.NotAuthorized, string? Reason = null);

/// <summary>A CONNACK.</summary>
/// <param name="Code">Its reason code; success if the client is accepted.</param>
public sealed record ConnackContext(ClientContext Client, ReasonCode Code);

/// <summary>What a callback may add to CONNACK for a 5.0 client. [MQTT-3.2.2.3]</summary>
public sealed record ConnackProperties
{
    public string? ReasonString { get; init; }

    public string? ResponseInformation { get; init; }

    public string? ServerReference { get; init; }

    public UserProperty[] UserProperties { get; init; } = [];
}

/// <summary>What a client wants to do.</summary>
/// <param name="IsPublish">False: subscribe.</param>
/// <param name="Topic">Topic or filter as the client writes it, without its mountpoint and share prefix.</param>
public sealed record AccessRequest(ClientContext Client, bool IsPublish, string Topic);

/// <summary>A filter that a client wants to subscribe to.</summary>
/// <param name="Filter">Share prefix included, mountpoint not.</param>
/// <param name="Refusal">A code from 0x80 refuses it; success does not.</param>
public sealed record RequestedFilter(string Filter, SubscriptionOptions Options, ReasonCode Refusal = ReasonCode.Success);

/// <summary>Where a message comes from.</summary>
/// <param name="Client">Its publisher; null if that is not connected here, as with wills.</param>
public sealed record PublishContext(ClientContext? Client);
