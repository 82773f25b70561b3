using System.Reflection;
using Broker.Gateway.Hooks;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Plugins;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Plugins;

/// <summary>Starts plugins before the gateway takes clients and stops them behind it. They can be loaded and unloaded at any time. Thread-safe.</summary>
internal sealed partial class PluginHost(IOptions<PluginOptions> options, BrokerHooks hooks, HookLanes lanes, IConfiguration configuration, ILoggerFactory loggers, TimeProvider time) : IHostedService, IDisposable
{
    private readonly PluginOptions options = options.Value;
    private readonly ILogger log = loggers.CreateLogger<PluginHost>();
    private readonly SemaphoreSlim gate = new(1);
    private readonly List<Loaded> loaded = [];

    private sealed record Loaded(string Name, IPlugin Plugin, PluginLoadContext Context);

    /// <summary>The plugins that run, in the order in which they were started.</summary>
    public string[] Running
    {
        get
        {
            lock (loaded) return [.. loaded.Select(one => one.Name)];
        }
    }

    /// <summary>The plugins that are in the folder.</summary>
    public string[] Available() => options.Folder.Length == 0 || !Directory.Exists(options.Folder)
        ? []
        : [.. Directory.GetDirectories(options.Folder).Select(folder => Path.GetFileName(folder)).Where(name => File.Exists(FileOf(name))).Order(StringComparer.Ordinal)];

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Folder.Length == 0) return;
        if (!Directory.Exists(options.Folder)) throw new StartException($"Plugins:Folder = {options.Folder}: there is no such folder.");
        foreach (var name in options.Enabled.Length > 0 ? options.Enabled : Available()) await LoadAsync(name, cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (Running.Length > 0) await lanes.DrainAsync(cancellationToken);
        foreach (var name in Running.Reverse()) await UnloadAsync(name);
    }

    public void Dispose() => gate.Dispose();

    /// <summary>Loads and starts a plugin; does nothing if it runs.</summary>
    /// <exception cref="StartException">There is none, or it does not start.</exception>
    public async Task LoadAsync(string name, CancellationToken cancellation = default)
    {
        await gate.WaitAsync(cancellation);
        try
        {
            if (Running.Contains(name)) return;
            var one = Load(name);
            try
            {
                await one.Plugin.StartAsync(new PluginContext(name, hooks, configuration.GetSection($"{PluginOptions.Section}:Settings:{name}"), loggers.CreateLogger($"Plugin.{name}"), time), cancellation);
            }
            catch (Exception fault) when (fault is not OperationCanceledException) // whatever a plugin throws
            {
                Unload(one);
                throw new StartException($"Plugin {name} does not start: {fault.Message}", fault);
            }

            lock (loaded) loaded.Add(one);
            LogStarted(log, name, one.Plugin.GetType().Assembly.GetName().Version);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Stops a plugin and unloads its code as soon as nothing of it runs any more.</summary>
    /// <returns>False if it does not run.</returns>
    public async Task<bool> UnloadAsync(string name)
    {
        await gate.WaitAsync();
        try
        {
            Loaded? one;
            lock (loaded) one = loaded.Find(other => other.Name == name);
            if (one is null) return false;
            try
            {
                await one.Plugin.StopAsync();
            }
            catch (Exception fault) // whatever a plugin throws
            {
                LogStopFailed(log, fault, name);
            }

            lock (loaded) loaded.Remove(one);
            Unload(one);
            LogStopped(log, name);
            return true;
        }
        finally
        {
            gate.Release();
        }
    }

    private string FileOf(string name) => Path.GetFullPath(Path.Combine(options.Folder, name, name + ".dll"));

    private Loaded Load(string name)
    {
        var file = FileOf(name);
        if (!File.Exists(file) || Path.GetFileName(name) != name) throw new StartException($"Plugin {name}: there is no {file}.");
        var context = new PluginLoadContext(name, file);
        try
        {
            var assembly = context.LoadCopy(file);
            Type[] found = [.. assembly.GetExportedTypes().Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IPlugin)))];
            if (found is not [var type]) throw new StartException($"Plugin {name}: {file} has {found.Length} public classes that are an {nameof(IPlugin)}; it needs one.");
            return new Loaded(name, (IPlugin)Activator.CreateInstance(type)!, context);
        }
        catch (Exception fault) when (fault is BadImageFormatException or IOException or TypeLoadException or ReflectionTypeLoadException or MissingMethodException or TargetInvocationException)
        {
            context.Unload();
            throw new StartException($"Plugin {name} cannot be loaded from {file}: {fault.GetBaseException().Message}", fault);
        }
        catch (StartException)
        {
            context.Unload();
            throw;
        }
    }

    private void Unload(Loaded one)
    {
        hooks.RemoveAll(one.Context); // also what it did not take back itself
        one.Context.Unload();
    }

    [LoggerMessage(1, LogLevel.Information, "Plugin {Name} {Version} has started")]
    private static partial void LogStarted(ILogger log, string name, Version? version);

    [LoggerMessage(2, LogLevel.Information, "Plugin {Name} has stopped")]
    private static partial void LogStopped(ILogger log, string name);

    [LoggerMessage(3, LogLevel.Error, "Plugin {Name} failed to stop; its callbacks are gone")]
    private static partial void LogStopFailed(ILogger log, Exception fault, string name);
}
