using System.Collections.Concurrent;
using System.Net;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Tracing;

/// <summary>The traces that write now. Immutable but for who is known to come from traced addresses; thread-safe.</summary>
internal sealed class TraceSet
{
    private readonly Dictionary<string, TraceLog[]> byClient;
    private readonly Dictionary<IPAddress, TraceLog[]> byAddress;
    private readonly (TopicFilter Filter, TraceLog Log)[] topics;

    /// <summary>Connected clients of traced addresses, as sessions know only client identifiers.</summary>
    private readonly ConcurrentDictionary<string, TraceLog[]> fromAddress = new(StringComparer.Ordinal);

    public TraceSet(IReadOnlyCollection<TraceLog> logs, bool showsPayload, TimeProvider time)
    {
        (ShowsPayload, Time) = (showsPayload, time);
        byClient = Of(TraceKind.ClientId).GroupBy(log => log.Trace.Filter).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
        byAddress = Of(TraceKind.IpAddress).GroupBy(log => IPAddress.Parse(log.Trace.Filter)).ToDictionary(group => group.Key, group => group.ToArray());
        topics = [.. Of(TraceKind.Topic).Select(log => (TopicFilter.Parse(log.Trace.Filter), log))];

        IEnumerable<TraceLog> Of(TraceKind kind) => logs.Where(log => log.Trace.Kind == kind);
    }

    public bool ShowsPayload { get; }

    public TimeProvider Time { get; }

    public bool HasTopics => topics.Length > 0;

    /// <summary>What traces one connection; null if nothing does.</summary>
    public ConnectionTracer? TracerFor(ClientInfo client)
    {
        var own = byClient.GetValueOrDefault(client.ClientId, []);
        if (client.RemoteAddress is IPEndPoint from && byAddress.TryGetValue(TraceText.Plain(from.Address), out var more))
        {
            own = [.. own, .. more];
            fromAddress[client.ClientId] = more;
        }

        return own.Length > 0 || HasTopics ? new ConnectionTracer(this, own, client) : null;
    }

    /// <summary>A client has left.</summary>
    public void Forget(string clientId) => fromAddress.TryRemove(clientId, out _);

    /// <summary>The traces of a topic, or of the path of a filter.</summary>
    public TraceLog[] OfTopic(string topic) => [.. topics.Where(one => one.Filter.Matches(topic)).Select(one => one.Log)];

    /// <summary>Something happens to a client without its connection having a part in it.</summary>
    public void Note(string clientId, string? topic, string level, string what)
    {
        TraceLog[] logs =
        [
            .. byClient.GetValueOrDefault(clientId, []), .. fromAddress.GetValueOrDefault(clientId, []), .. topic is null || !HasTopics ? [] : OfTopic(topic),
        ];
        if (logs.Length == 0) return;
        var line = TraceText.Line(Time.GetUtcNow(), level, TraceText.Who(clientId, null), what);
        foreach (var log in logs) log.Add(line);
    }
}
