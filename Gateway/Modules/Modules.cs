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
internal sealed record Module(string Name, string Description, Func<ModuleOptions, bool> IsUsual);

/// <summary>The modules, and which of them are on, everywhere in the cluster.</summary>
internal sealed class Modules(ModuleTable table, RecordFeed records, IOptionsMonitor<ModuleOptions> options)
{
    public const string AclInternal = "emqx_mod_acl_internal";
    public const string Presence = "emqx_mod_presence";
    public const string AutoSubscribe = "emqx_mod_subscription";
    public const string Rewrite = "emqx_mod_rewrite";
    public const string Delayed = "emqx_mod_delayed";
    public const string TopicMetrics = "emqx_mod_topic_metrics";
    public const string SlowSubscriptions = "emqx_mod_slow_subs";

    public IReadOnlyList<Module> All { get; } =
    [
        new(AclInternal, "Access rules of a file", usual => usual.AclInternal),
        new(Presence, "Messages about clients that come and go", usual => usual.Presence),
        new(AutoSubscribe, "Subscribes clients when they connect", usual => usual.AutoSubscribe),
        new(Rewrite, "Changes topics", usual => usual.Rewrite),
        new(Delayed, "Publishes messages later", usual => usual.Delayed),
        new(TopicMetrics, "Counts what goes over single topics", usual => usual.TopicMetrics),
        new(SlowSubscriptions, "Finds out which clients are slow", usual => usual.SlowSubscriptions),
    ];

    /// <summary>Calls back whenever a module may have been turned on or off.</summary>
    public void OnChange(Action follow)
    {
        table.Updated += follow;
        options.OnChange(_ => follow());
    }

    /// <summary>The module of a name; null if there is none.</summary>
    public Module? Find(string name) => All.FirstOrDefault(one => one.Name == name);

    /// <summary>Whether a module is on.</summary>
    public bool IsActive(Module module) => table.Find(module.Name)?.Value.IsActive ?? module.IsUsual(options.CurrentValue);

    /// <inheritdoc cref="IsActive(Module)"/>
    public bool IsActive(string name) => IsActive(Find(name)!);

    /// <summary>Turns a module on or off on all nodes.</summary>
    /// <exception cref="RecordsUnavailableException">Nothing was changed.</exception>
    public Task SetAsync(Module module, bool isActive) => records.WriteAsync(table.Put(module.Name, new ModuleState(isActive)));
}
