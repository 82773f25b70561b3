using System.Text.Json.Serialization;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Records;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Modules;

/// <summary>Whether a module is on.</summary>
internal sealed record ModuleState(bool IsActive);

/// <summary>What operators said of modules at run time, by their names.</summary>
internal sealed class ModuleTable() : RecordTable<ModuleState>("module", ModuleJson.Default.ModuleState)
{
    /// <summary>A module was turned on or off.</summary>
    public event Action? Updated;

    protected override void Changed(Entry? before, Entry? after) => Updated?.Invoke();
}

[JsonSerializable(typeof(ModuleState))]
internal sealed partial class ModuleJson : JsonSerializerContext;

/// <summary>A part of the broker that can be turned on and off while it runs.</summary>
/// <param name="Name">EMQ X's name of it.</param>
/// <param name="Description">What it does, for people.</param>
/// <param name="IsUsual">Whether the configuration has it on.</param>
internal sealed record Module(string Name, string Description, bool IsUsual);

/// <summary>The modules, and which of them are on, everywhere in the cluster.</summary>
internal sealed class Modules(ModuleTable table, RecordFeed records, IOptions<ModuleOptions> options)
{
    public const string Presence = "emqx_mod_presence";
    public const string AutoSubscribe = "emqx_mod_subscription";
    public const string Rewrite = "emqx_mod_rewrite";
    public const string TopicMetrics = "emqx_mod_topic_metrics";
    public const string SlowSubscriptions = "emqx_mod_slow_subs";

    public IReadOnlyList<Module> All { get; } =
    [
        new(Presence, "Messages about clients that come and go", options.Value.Presence),
        new(AutoSubscribe, "Subscribes clients when they connect", options.Value.AutoSubscribe),
        new(Rewrite, "Changes topics", options.Value.Rewrite),
        new(TopicMetrics, "Counts what goes over single topics", options.Value.TopicMetrics),
        new(SlowSubscriptions, "Finds out which clients are slow", options.Value.SlowSubscriptions),
    ];

    /// <summary>The module of a name; null if there is none.</summary>
    public Module? Find(string name) => All.FirstOrDefault(one => one.Name == name);

    /// <summary>Whether a module is on.</summary>
    public bool IsActive(Module module) => table.Find(module.Name)?.Value.IsActive ?? module.IsUsual;

    /// <inheritdoc cref="IsActive(Module)"/>
    public bool IsActive(string name) => IsActive(Find(name)!);

    /// <summary>Turns a module on or off on all nodes.</summary>
    /// <exception cref="RecordsUnavailableException">Nothing was changed.</exception>
    public Task SetAsync(Module module, bool isActive) => records.WriteAsync(table.Put(module.Name, new ModuleState(isActive)));
}
