using System.Globalization;
using System.Text;
using System.Text.Json;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Clients;
using Broker.Grains.Interfaces.Delayed;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Admin.Resources;

/// <summary>`/explain/publish`: who would get a message and who not, and why. Nothing is published.</summary>
internal sealed class Explain(ClusterNodes nodes, ClientDirectory clients, INodeClient members, IGrainFactory grains, ShardMap map, Modules.Modules modules, TimeProvider time) : IApiResource
{
    /// <summary>Receivers that are told of.</summary>
    private const int Most = 1_000;

    private static readonly string[] Parameters = ["topic", "client", "qos"];

    public IEnumerable<ApiEndpoint> Endpoints =>
    [
        new("GET", "/explain/publish", "explain_publish", "Who would get a message, who not, and why", PublishAsync) { Version = 5, Filters = Parameters },
    ];

    /// <summary>One client and what would become of the message there.</summary>
    private sealed record Verdict(string ClientId, string Node, List<string> Filters, int Qos, string Outcome, string Reason);

    private async Task<ApiAnswer> PublishAsync(ApiCall call)
    {
        if (call.Find("topic") is not { } written || !TopicName.TryParse(Encoding.UTF8.GetBytes(written), out var topic)) throw new ApiException(ResultCode.BadTopic, "bad_topic");
        var qos = call.Find("qos") is not { } text ? Qos.AtMostOnce
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 2 ? (Qos)number : throw new ApiException(ResultCode.BadQos, "bad_qos");
        byte[]? publisher = null;
        if (call.Find("client") is { } clientId)
        {
            publisher = await FindPublisherAsync(clientId, written);
            if (publisher is not null)
            {
                using var known = JsonDocument.Parse(publisher);
                topic = TopicName.Parse(known.RootElement.GetProperty("topic").GetString()!);
            }
        }

        var waits = DelayedTopic.Is(topic) && modules.IsActive(Modules.Modules.Delayed) ? DelayedTopic.Read(topic) : null;
        topic = waits?.Target ?? topic; // that is where it goes when its time has come
        var routes = await GrainCalls.InsistAsync(() => grains.GetGrain<ITopicShardGrain>(map.ShardOf(topic)).Explain(topic), time);
        var (verdicts, more, unavailable) = await JudgeAsync(routes, qos, call.Find("client"));
        return ApiAnswer.Data(json => Write(json, call.Find("client"), publisher, topic, Describe(waits), verdicts, more, unavailable));
    }

    private async Task<byte[]?> FindPublisherAsync(string clientId, string topic)
    {
        if ((await clients.FindAsync(clientId)).Location is not { } location) return null;
        var query = new NodeQuery(LocalPublishers.Name, [new(NodeResources.ConnectionFilter, location.Connection.ToString(CultureInfo.InvariantCulture)), new(LocalPublishers.Topic, topic)]);
        return (await nodes.ReadAtAsync(location.Gateway, query))?.Rows.FirstOrDefault();
    }

    private async Task<(List<Verdict> Verdicts, bool More, List<string> Unavailable)> JudgeAsync(MatchedRoute[] routes, Qos qos, string? publisher)
    {
        var (verdicts, unavailable, more) = (new List<Verdict>(), new List<string>(), false);
        var names = members.Members.ToDictionary(member => member.Address, member => member.Name);
        foreach (var route in routes)
        {
            if (more = verdicts.Count >= Most) break;
            if (route.Destination.ClientId is { } clientId)
            {
                var session = await GrainCalls.InsistAsync(() => grains.GetGrain<ISessionGrain>(SessionKey.Of(clientId)).Explain(route.Routes), time);
                var place = (await clients.FindAsync(clientId)).Location is { } location ? names.GetValueOrDefault(location.Gateway) : null;
                foreach (var one in session?.Subscriptions ?? [])
                {
                    verdicts.Add(Judge(new Receiver(clientId, one.Filter.Text, one.Options, session!.Queued, session.MaxQueued), place ?? ClientRow.Undefined, session.IsConnected, route, qos, publisher));
                }

                continue;
            }

            var gateway = route.Destination.Gateway!;
            var query = new NodeQuery(LocalReceivers.Name, [.. route.Routes.Select(id => KeyValuePair.Create(LocalReceivers.Route, id.ToString(CultureInfo.InvariantCulture)))], Limit: Most);
            if (await nodes.ReadAtAsync(gateway, query) is not { } page)
            {
                unavailable.Add(names.GetValueOrDefault(gateway) ?? gateway.ToParsableString());
                continue;
            }

            verdicts.AddRange(page.Rows.Select(row => JsonSerializer.Deserialize(row, ReceiverJson.Default.Receiver)!).Select(one => Judge(one, page.Node, true, route, qos, publisher)));
            more |= page.HasMore;
        }

        return ([.. verdicts.Take(Most).GroupBy(one => (one.ClientId, one.Outcome, Share: one.Outcome == "perhaps" ? one.Reason : "")).Select(Merge)], more, unavailable);
    }

    private static Verdict Judge(Receiver one, string node, bool isConnected, MatchedRoute route, Qos qos, string? publisher)
    {
        var granted = one.Options.Qos < qos ? one.Options.Qos : qos;
        var (outcome, reason) =
            one.Options.NoLocal && one.ClientId == publisher ? ("not", "no_local: it is the publisher and asked not to get its own messages")
            : !isConnected && granted == Qos.AtMostOnce ? ("not", "its client is away, and QoS 0 is not kept")
            : one.MaxQueued > 0 && one.Queued >= one.MaxQueued ? ("loses", $"queue_full: {one.Queued} of {one.MaxQueued} messages wait, one of them is dropped")
            : route.Group is not null && route.Members > 1 ? ("perhaps", $"one of the {route.Members} members of {route.Group} gets it")
            : !isConnected ? ("queued", "its client is away: it is kept for it")
            : one.Queued > 0 ? ("queued", $"behind {one.Queued} messages that wait")
            : ("gets", granted < qos ? $"at QoS {(int)granted}, to which it is subscribed" : "subscribed");
        return new Verdict(one.ClientId, node, [one.Filter], (int)granted, outcome, reason);
    }

    /// <summary>A client gets one copy, whatever the number of its subscriptions that match, at the highest of their QoS.</summary>
    private static Verdict Merge(IEnumerable<Verdict> verdicts) =>
        verdicts.OrderByDescending(one => one.Qos).Aggregate((highest, one) => highest with { Filters = [.. highest.Filters, .. one.Filters] });

    private string? Describe(DelayedTopic? waits) => waits is null ? null
        : waits.IsAcceptable(time.GetUtcNow().ToUnixTimeMilliseconds()) ? "it waits until its time has come; the receivers are those of now"
        : "it is refused: its time or its topic cannot be read, or is too far ahead";

    private void Write(Utf8JsonWriter json, string? clientId, byte[]? publisher, TopicName topic, string? delay, List<Verdict> verdicts, bool more, List<string> unavailable)
    {
        json.WriteStartObject();
        json.WriteString("topic", topic.Text);
        json.WriteNumber("shard", map.ShardOf(topic));
        if (delay is not null) json.WriteString("delay", delay);
        if (publisher is not null)
        {
            json.WritePropertyName("publisher");
            json.WriteRow(publisher);
        }
        else if (clientId is not null)
        {
            json.WriteStartObject("publisher");
            json.WriteString("clientid", clientId);
            json.WriteString("fault", "it is not connected: what it may do is not known");
            json.WriteEndObject();
        }

        json.WriteStartArray("receivers");
        foreach (var one in verdicts)
        {
            json.WriteStartObject();
            json.WriteString("clientid", one.ClientId);
            json.WriteString("node", one.Node);
            json.WriteStartArray("filters");
            foreach (var filter in one.Filters) json.WriteStringValue(filter);
            json.WriteEndArray();
            json.WriteNumber("qos", one.Qos);
            json.WriteString("verdict", one.Outcome);
            json.WriteString("reason", one.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (more) json.WriteBoolean("more", true);
        if (unavailable.Count > 0)
        {
            json.WriteStartArray("unavailable");
            foreach (var node in unavailable) json.WriteStringValue(node);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}
