namespace Broker.Grains.Interfaces.Nodes;

/// <summary>What queries and commands call the kinds of things that processes answer for.</summary>
public static class NodeResources
{
    public const string Brokers = "brokers";
    public const string Nodes = "nodes";
    public const string Metrics = "metrics";
    public const string Stats = "stats";
    public const string Clients = "clients";

    /// <summary>Durable sessions whose clients are not connected.</summary>
    public const string AbsentClients = "absent_clients";

    /// <summary>Subscriptions of transient sessions.</summary>
    public const string Subscriptions = "subscriptions";

    /// <summary>Subscriptions of durable sessions, their clients connected or not.</summary>
    public const string DurableSubscriptions = "durable_subscriptions";
    public const string Routes = "routes";

    /// <summary>Retained messages, without their payloads.</summary>
    public const string Retained = "retained";

    /// <summary>Command that deletes some of them; it is to be repeated until it finds none. Argument: <see cref="MatchTopic"/>.</summary>
    public const string DeleteRetained = "delete";

    /// <summary>Filter: a topic filter that must match.</summary>
    public const string MatchTopic = "_match_topic";
    /// <summary>Messages that wait for their time.</summary>
    public const string Delayed = "delayed";

    /// <summary>What is remembered of access rules for one connection.</summary>
    public const string AccessCache = "acl_cache";

    /// <summary>Filter that asks for one waiting message by its identifier; not for callers of the HTTP API.</summary>
    public const string DelayedId = "msgid";

    /// <summary>Filter that asks for one connection by its number; not for callers of the HTTP API.</summary>
    public const string ConnectionFilter = "connection";
}
