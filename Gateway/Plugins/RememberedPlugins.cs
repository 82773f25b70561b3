using System.Text.Json.Serialization;
using Broker.Gateway.Records;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Broker.Gateway.Plugins;

/// <summary>Whether an operator wants a plugin to run.</summary>
internal sealed record PluginState(bool IsActive);

/// <summary>What operators said of plugins at run time, by node and plugin.</summary>
internal sealed class PluginTable() : RecordTable<PluginState>("plugin", PluginJson.Default.PluginState)
{
    /// <summary>The key of a node's plugin. No node's name holds a slash.</summary>
    public static string KeyOf(string node, string plugin) => $"{node}/{plugin}";
}

[JsonSerializable(typeof(PluginState))]
internal sealed partial class PluginJson : JsonSerializerContext;

/// <summary>Starts and stops the plugins that an operator has started and stopped since the configuration was written. Before anybody connects.</summary>
internal sealed partial class RememberedPlugins(PluginTable table, PluginHost plugins, RecordFeed records, NodeIdentity self, ILogger<RememberedPlugins> log) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var name in plugins.Available())
        {
            if (table.Find(PluginTable.KeyOf(self.Name, name)) is not { Value: var wanted }) continue;
            try
            {
                if (wanted.IsActive) await plugins.LoadAsync(name, cancellationToken);
                else await plugins.UnloadAsync(name);
            }
            catch (StartException fault) // what was loaded by hand must not keep the broker from starting
            {
                LogNotStarted(log, fault.Message);
            }
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Keeps what an operator wants of a plugin of this process.</summary>
    public Task KeepAsync(string name, bool isActive) => records.WriteAsync(table.Put(PluginTable.KeyOf(self.Name, name), new PluginState(isActive)));

    [LoggerMessage(1, LogLevel.Warning, "A plugin that was running does not any more: {Reason}")]
    private static partial void LogNotStarted(ILogger log, string reason);
}
