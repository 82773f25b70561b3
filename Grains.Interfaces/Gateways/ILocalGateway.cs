using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Grains.Interfaces.Gateways;

/// <summary>The gateway of this process, for the grains that share it. Thread-safe; nothing here blocks.</summary>
public interface ILocalGateway
{
    /// <summary>Takes a message into memory for its transient sessions.</summary>
    /// <param name="message">The message.</param>
    /// <param name="routes">The routes that matched, as this gateway numbered them.</param>
    void Deliver(ApplicationMessage message, ReadOnlySpan<ulong> routes);

    /// <summary>All routes of this gateway that live in a shard, for a shard that recovers.</summary>
    Task<RouteChange[]> RoutesOfAsync(int shard);

    /// <summary>The digest of these routes, for a shard that audits itself.</summary>
    Task<RouteDigest> DigestOfAsync(int shard);

    /// <summary>All connections whose clients belong to a partition of the registry, for a partition that recovers.</summary>
    ClientRegistration[] ClientsOf(int partition);

    /// <summary>Hands what durable sessions in another process tell their connections to those connections, in order.</summary>
    void Pipe(ReadOnlySpan<PipeItem> items);

    /// <summary>Closes a connection, for a newer one of the same client or for an operator, and waits until it can send no more.</summary>
    /// <param name="connection">The number under which the connection was registered.</param>
    /// <param name="code">What a 5.0 client is told.</param>
    Task CloseAsync(ulong connection, ReasonCode code);
}
