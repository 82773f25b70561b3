using Broker.Gateway.Configuration;
using Broker.Grains.Interfaces.Nodes;

namespace Broker.Gateway.Admin.Resources;

/// <summary>The settings that hold in this process: an object of the document's version, what of it could not be done, and the values by key.</summary>
internal sealed class LocalSettings(SettingApplier applier, IEnumerable<ISettingTarget> targets) : INodeResource
{
    public const string Name = "configuration";
    public const string Version = "version";
    public const string Faults = "faults";
    public const string Values = "values";
    private readonly ISettingTarget[] targets = [.. targets];

    public string Resource => Name;

    public ValueTask<NodePage> ReadAsync(string node, NodeQuery query) => ValueTask.FromResult(NodePages.Write(node, json =>
    {
        var applied = applier.Applied;
        json.WriteNumber(Version, applied.Version);
        json.WriteStartArray(Faults);
        foreach (var fault in applied.Faults) json.WriteStringValue(fault);
        json.WriteEndArray();
        json.WriteStartObject(Values);
        foreach (var (key, value) in targets.SelectMany(one => one.Describe())) json.WriteString(key, SettingKey.Show(key, value));
        json.WriteEndObject();
    }));
}
