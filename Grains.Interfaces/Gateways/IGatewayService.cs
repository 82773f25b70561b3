using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Orleans.Services;

namespace Broker.Grains.Interfaces.Gateways;

/// <summary>A gateway as the rest of the cluster sees it: one in each gateway process, addressed by its silo address.</summary>
[Alias("IGatewayService")]
public interface IGatewayService : IGrainService
{
    /// <summary>Takes messages into memory for transient sessions, in order.</summary>
    [Alias("Deliver")]
    Task Deliver(DeliveryBatch batch);

    /// <summary>All routes of this gateway that live in a shard, for a shard that recovers.</summary>
    [Alias("RoutesOf")]
    Task<RouteChange[]> RoutesOf(int shard);

    /// <summary>The digest of these routes, for a shard that audits itself.</summary>
    [Alias("DigestOf")]
    Task<RouteDigest> DigestOf(int shard);

    /// <summary>All connections of this gateway whose clients belong to a partition of the registry, for a partition that recovers.</summary>
    [Alias("ClientsOf")]
    Task<ClientRegistration[]> ClientsOf(int partition);

    /// <summary>Takes what durable sessions in another process tell their connections here, in order; a batch that is sent again is not taken again.</summary>
    [Alias("Pipe")]
    Task Pipe(PipeBatch batch);

    /// <summary>Closes a connection, for a newer one of the same client or for an operator; returns when it can send no more.</summary>
    [Alias("Close")]
    Task Close(ulong connection, ReasonCode code);
}

/// <summary>What one link from a shard to a gateway carries in one call.</summary>
/// <param name="Link">Names the sending link.</param>
/// <param name="Number">Rises by one with every batch; one that was seen is dropped.</param>
[GenerateSerializer, Immutable, Alias("DeliveryBatch")]
public sealed record DeliveryBatch([property: Id(0)] Guid Link, [property: Id(1)] long Number, [property: Id(2)] RoutedMessage[] Messages);

/// <summary>A message and the receiving gateway's routes that it matched.</summary>
[GenerateSerializer, Immutable, Alias("RoutedMessage")]
public readonly record struct RoutedMessage([property: Id(0)] ApplicationMessage Message, [property: Id(1)] ulong[] Routes);

/// <summary>Reaches the gateway service of any process.</summary>
public interface IGatewayClient
{
    /// <summary>The service of the gateway at an address.</summary>
    IGatewayService At(SiloAddress gateway);
}
