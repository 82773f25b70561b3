using System.Diagnostics;

namespace Broker.Grains.Interfaces.Metrics;

/// <summary>Traces what is rare and costly: activity source <see cref="SourceName"/>. Of messages <see cref="MessageActivities"/> traces a sample.</summary>
/// <remarks>Each method answers null while nobody listens. The caller disposes what it gets before anything begins that lasts: what is started
/// meanwhile belongs to the trace for as long as it lives.</remarks>
public static class BrokerActivities
{
    /// <summary>The source to listen to.</summary>
    public const string SourceName = "Broker";

    internal static readonly ActivitySource Source = new(SourceName);

    /// <summary>CONNECT of a client with a durable session, from registration to the opened session.</summary>
    public static Activity? Connect(string clientId) => OfClient("broker.connect", clientId);

    /// <summary>SUBSCRIBE, until every shard knows.</summary>
    public static Activity? Subscribe(string clientId) => OfClient("broker.subscribe", clientId);

    /// <summary>UNSUBSCRIBE, until every shard knows.</summary>
    public static Activity? Unsubscribe(string clientId) => OfClient("broker.unsubscribe", clientId);

    /// <summary>A durable session is read from the store.</summary>
    public static Activity? LoadSession(string clientId) => Source.StartActivity("broker.session.load")?.SetTag("messaging.client.id", clientId);

    /// <summary>A shard gets its routes from the store and all gateways.</summary>
    public static Activity? RecoverShard(int shard) => OfShard("broker.shard.recover", shard);

    /// <summary>A shard compares its routes with what others know.</summary>
    public static Activity? AuditShard(int shard) => OfShard("broker.shard.audit", shard);

    /// <summary>What a process left that has just died is put in order: it is fenced, its wills are published.</summary>
    public static Activity? BuryNode() => Source.StartActivity("broker.node.bury");

    /// <summary>The wills of a dead process are published.</summary>
    public static Activity? PublishWills(string node, int count) =>
        Source.StartActivity("broker.wills.publish")?.SetTag("broker.node", node).SetTag("broker.wills", count);

    /// <summary>The running activity's session has to move to its client first.</summary>
    public static void SessionMoves() => Activity.Current?.AddEvent(new ActivityEvent("session moves"));

    /// <summary>What is traced has failed.</summary>
    public static void Fail(this Activity? activity, string reason) => activity?.SetStatus(ActivityStatusCode.Error, reason);

    private static Activity? OfClient(string name, string clientId) => Source.StartActivity(name, ActivityKind.Server)?.SetTag("messaging.client.id", clientId);

    private static Activity? OfShard(string name, int shard) => Source.StartActivity(name)?.SetTag("broker.shard", shard);
}
