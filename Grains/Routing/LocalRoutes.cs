using System.Text.Json.Serialization;
using Broker.Grains.Interfaces.Nodes;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Grains.Routing;

/// <summary>A route as EMQ X 4.x's HTTP API shows it.</summary>
internal sealed record RouteRow(string Topic, string Node);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RouteRow))]
internal sealed partial class RouteJson : JsonSerializerContext;

/// <summary>The routes of the shards of this process: each filter once for every process it leads to. To a durable session it leads by way of its shard.</summary>
internal sealed class LocalRoutes(LocalShards shards, ShardMap map, INodeClient nodes) : INodeResource
{
    public string Resource => NodeResources.Routes;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query)
    {
        var topic = query.Filters.FirstOrDefault(one => one.Key == "topic").Value;
        var names = nodes.Members.ToDictionary(member => member.Address, member => member.Name);
        var found = Routes(topic, route => new RouteRow(route.Path, route.Gateway is { } gateway ? names.GetValueOrDefault(gateway) ?? gateway.ToParsableString() : node));
        return ValueTask.FromResult(NodePages.Select(node, query, found, row => row, RouteJson.Default.RouteRow));
    }

    private IEnumerable<RouteRow> Routes(string? topic, Func<(string Path, SiloAddress? Gateway), RouteRow> describe)
    {
        int[] wanted = topic is null ? shards.Numbers() : TopicFilter.TryParse(topic, out var filter) ? [Math.Max(0, map.ShardOf(filter))] : [];
        var part = new List<(string Path, SiloAddress? Gateway)>();
        foreach (var number in wanted)
        {
            if (shards.Find(number) is not { } shard) continue;
            for (var next = 1; next != 0;)
            {
                part.Clear();
                next = shard.List(next, part);
                // By a shard's own process it may lead to transient and to durable sessions: that is one row.
                foreach (var route in part.Select(describe).Distinct())
                {
                    if (topic is null ? number == 0 || map.ShardOf(TopicFilter.Parse(route.Topic)) != ShardMap.EveryShard : route.Topic == topic) yield return route;
                }
            }
        }
    }
}
