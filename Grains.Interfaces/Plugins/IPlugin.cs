using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Broker.Grains.Interfaces.Plugins;

/// <summary>What a plugin's assembly has one public class of, with a constructor without parameters.</summary>
public interface IPlugin
{
    /// <summary>Starts the plugin, before the gateway takes any client: here it adds its callbacks.</summary>
    /// <param name="cancellation">The start has been given up.</param>
    /// <exception cref="Exception">Whatever is thrown keeps the plugin, and at the start of the broker the broker, from starting.</exception>
    ValueTask StartAsync(PluginContext context, CancellationToken cancellation);

    /// <summary>Stops the plugin. Its callbacks are not called any more.</summary>
    ValueTask StopAsync() => default;
}

/// <summary>What the broker gives to a plugin.</summary>
/// <param name="Name">The plugin's name: that of its folder.</param>
/// <param name="Hooks">Where it adds its callbacks.</param>
/// <param name="Settings">The settings below `Plugins:Settings:name`.</param>
/// <param name="Log">What it writes here is in the broker's log.</param>
/// <param name="Time">The broker's clock.</param>
public sealed record PluginContext(string Name, IHooks Hooks, IConfiguration Settings, ILogger Log, TimeProvider Time);
