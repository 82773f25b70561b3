namespace Broker.Grains.Interfaces.Metrics;

/// <summary>What a process holds at this moment, each fact in one process of the cluster: the numbers of all processes can be added.</summary>
public enum Gauge
{
    /// <summary>Clients that are connected to this process.</summary>
    Connections,

    /// <summary>Sessions of the clients connected here, and stored sessions of absent clients whose registry partition is here.</summary>
    Sessions,

    /// <summary>Topic filters, without share prefix, that the shards here have routes for. A filter that lives in every shard counts in the first.</summary>
    Topics,

    /// <summary>Subscriptions: transient ones where the client is connected, durable ones where their shard is, whether their session is in memory or not.</summary>
    Subscriptions,

    /// <summary>Those of them that are not shared.</summary>
    Subscribers,

    /// <summary>Those of them that are shared.</summary>
    SubscriptionsShared,

    /// <summary>Retained messages of the partitions here.</summary>
    Retained,

    /// <summary>Messages of the partitions here that wait for their time.</summary>
    Delayed,
}
