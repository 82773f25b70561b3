using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Grains.Nodes;

/// <summary>Numbers of this process by name.</summary>
internal abstract class LocalNumbers(string resource) : INodeResource
{
    public string Resource => resource;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query) => ValueTask.FromResult(NodePages.Write(node, json =>
    {
        foreach (var (name, value) in ReadAll()) json.WriteNumber(name, value);
    }));

    protected abstract IEnumerable<(string Name, long Value)> ReadAll();
}

/// <summary>What this process has counted.</summary>
internal sealed class LocalMetrics() : LocalNumbers(NodeResources.Metrics)
{
    protected override IEnumerable<(string Name, long Value)> ReadAll() => MetricNames.ReadAll();
}

/// <summary>What this process holds, and the most it has held.</summary>
internal sealed class LocalStats(BrokerGauges gauges) : LocalNumbers(NodeResources.Stats)
{
    protected override IEnumerable<(string Name, long Value)> ReadAll() =>
        gauges.ReadAll().SelectMany(one => new[] { ($"{one.Name}.count", one.Count), ($"{one.Name}.max", one.Max) });
}
