using Broker.Grains.Interfaces.Messages;
using Orleans.Services;

namespace Broker.Grains.Interfaces.Sessions;

/// <summary>The durable sessions of a process as connections in other processes use them: one in each process, addressed by its silo address.</summary>
[Alias("ISessionService")]
public interface ISessionService : IGrainService
{
    /// <summary>Does what connections ask of their sessions here, in order; a batch that is sent again is not done again.</summary>
    /// <returns>The connections that are not, or not any more, those of their sessions: nothing they asked for was done.</returns>
    [Alias("Execute")]
    Task<RefusedConnection[]> Execute(SessionCommandBatch batch);
}

/// <summary>What one link from a gateway to the sessions of a process carries in one call.</summary>
/// <param name="Link">Names the sending link.</param>
/// <param name="Number">Rises by one with every batch.</param>
/// <param name="Gateway">The process of the connections.</param>
[GenerateSerializer, Immutable, Alias("SessionCommandBatch")]
public sealed record SessionCommandBatch(
    [property: Id(0)] Guid Link, [property: Id(1)] long Number, [property: Id(2)] SiloAddress Gateway, [property: Id(3)] SessionCommand[] Commands);

/// <summary>What a connection asks of its session.</summary>
public enum SessionCommandKind : byte
{
    /// <summary>CONNACK has been written: deliveries may start.</summary>
    Attach,

    /// <summary>The connection has ended.</summary>
    Detach,

    /// <summary>PUBACK.</summary>
    Acknowledge,

    /// <summary>PUBREC, with its code.</summary>
    Receive,

    /// <summary>PUBCOMP.</summary>
    Complete,

    /// <summary>The client cannot take the delivery with this identifier.</summary>
    Forget,

    /// <summary>Store an incoming QoS 2 identifier; answered with <see cref="PipeItemKind.Answer"/>.</summary>
    StoreReceipt,

    /// <summary>Forget an incoming QoS 2 identifier; answered with <see cref="PipeItemKind.Answer"/>.</summary>
    RemoveReceipt,

    /// <summary>A retained message for a new subscription.</summary>
    DeliverRetained,

    /// <summary>The client's socket has taken deliveries of the weight given as number: so much more may be sent.</summary>
    Credit,

    /// <summary>Send again what has been unacknowledged for that many milliseconds.</summary>
    Retry,

    /// <summary>Tell how long the queue is, and go on telling until it is empty; answered with <see cref="PipeItemKind.QueueLength"/>.</summary>
    TellQueueLength,
}

/// <summary>One thing that a connection asks of its session.</summary>
/// <param name="ClientId">Whose session.</param>
/// <param name="Connection">The connection's number in its process; ignored unless it is the session's.</param>
/// <param name="Number">What it means depends on the kind.</param>
/// <param name="Message">The retained message.</param>
/// <param name="Options">Those of the subscription that it is for.</param>
/// <param name="MessageNumber">The incoming QoS 2 message's number in its session.</param>
[GenerateSerializer, Immutable, OmitDefaultMemberValues, Alias("SessionCommand")]
public readonly record struct SessionCommand(
    [property: Id(0)] string ClientId,
    [property: Id(1)] ulong Connection,
    [property: Id(2)] SessionCommandKind Kind,
    [property: Id(3)] ushort PacketIdentifier = 0,
    [property: Id(4)] ReasonCode Code = ReasonCode.Success,
    [property: Id(5)] long Number = 0,
    [property: Id(6)] ApplicationMessage? Message = null,
    [property: Id(7)] SubscriptionOptions Options = default,
    [property: Id(8)] long MessageNumber = 0);

/// <summary>A connection that its session does not know (any more).</summary>
/// <param name="Code">What its client is to be told.</param>
[GenerateSerializer, Immutable, Alias("RefusedConnection")]
public readonly record struct RefusedConnection([property: Id(0)] ulong Connection, [property: Id(1)] ReasonCode Code);

/// <summary>Reaches the session service of any process.</summary>
public interface ISessionClient
{
    /// <summary>The service of the process at an address.</summary>
    ISessionService At(SiloAddress silo);
}
