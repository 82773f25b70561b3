using Broker.Grains.Interfaces.Cluster;

namespace Broker.Grains.Interfaces.Clients;

/// <summary>Knows, for one partition of the client identifiers, who is connected where and who has a durable session. Key: the partition, from 0.</summary>
[Alias("IClientRegistryGrain")]
public interface IClientRegistryGrain : ISpreadGrain
{
    /// <summary>Makes a connection the owner of its client identifier (promise 4). The newest registration wins, and who has lost once stays so.</summary>
    [Alias("Register")]
    Task<RegisterResult> Register(ClientRegistration registration);

    /// <summary>The connection has ended. Does nothing if it is not the owner any more.</summary>
    [Alias("Unregister")]
    Task Unregister(string clientId, ClientLocation location);

    /// <summary>The client's durable session has ended for good. A newer connection that has registered meanwhile may make another one.</summary>
    /// <param name="clientId">Whose session.</param>
    /// <param name="endedWith">The connection that it ended with; null if it had none.</param>
    [Alias("Forget")]
    Task Forget(string clientId, ClientLocation? endedWith);

    /// <summary>Where a client is.</summary>
    [Alias("Find")]
    Task<ClientWhereabouts> Find(string clientId);
}

/// <summary>What the registry knows of a client.</summary>
/// <param name="Location">Its connection; null if it has none.</param>
/// <param name="IsStored">Whether it has a durable session, or is about to.</param>
[GenerateSerializer, Immutable, Alias("ClientWhereabouts")]
public readonly record struct ClientWhereabouts([property: Id(0)] ClientLocation? Location, [property: Id(1)] bool IsStored);

/// <summary>A connection somewhere in the cluster.</summary>
/// <param name="Gateway">The process that holds it.</param>
/// <param name="Connection">Its number there.</param>
[GenerateSerializer, Immutable, Alias("ClientLocation")]
public readonly record struct ClientLocation([property: Id(0)] SiloAddress Gateway, [property: Id(1)] ulong Connection);

/// <summary>A client that has connected.</summary>
/// <param name="ClientId">Its client identifier.</param>
/// <param name="Location">Where it is.</param>
/// <param name="IsDurable">Whether its session outlives the connection.</param>
/// <param name="ConnectedAt">When it connected, in Unix milliseconds: the newer of two is the owner when a partition recovers.</param>
[GenerateSerializer, Immutable, Alias("ClientRegistration")]
public readonly record struct ClientRegistration(
    [property: Id(0)] string ClientId, [property: Id(1)] ClientLocation Location, [property: Id(2)] bool IsDurable, [property: Id(3)] long ConnectedAt);

/// <summary>What a registering connection has to clear away before it is accepted.</summary>
/// <param name="Previous">The connection it replaces, which must be closed first; null if there was none.</param>
/// <param name="HasStoredSession">Whether the client has a durable session, which a transient one must discard first.</param>
/// <param name="IsTakenOver">The connection has been replaced already: it is to end, and has nothing to clear away.</param>
[GenerateSerializer, Immutable, Alias("RegisterResult")]
public readonly record struct RegisterResult(
    [property: Id(0)] ClientLocation? Previous, [property: Id(1)] bool HasStoredSession, [property: Id(2)] bool IsTakenOver = false);

/// <summary>A registry partition whose grain is active in this process. Thread-safe; false means it is not here any more.</summary>
public interface ILocalClientRegistry
{
    /// <inheritdoc cref="IClientRegistryGrain.Register"/>
    bool TryRegister(in ClientRegistration registration, out RegisterResult result);

    /// <inheritdoc cref="IClientRegistryGrain.Unregister"/>
    bool TryUnregister(string clientId, in ClientLocation location);
}

/// <summary>Finds the registry partitions that are active in this process.</summary>
public interface ILocalClientRegistries
{
    /// <summary>The partition, or null when its grain is not active here.</summary>
    ILocalClientRegistry? Find(int partition);
}
