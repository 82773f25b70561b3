using Broker.Gateway.Hooks;
using Broker.Gateway.Security;
using Broker.Grains.Interfaces.Plugins;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.ExHook;

/// <summary>All hook servers: told that the broker runs before it takes clients, and that it stops when they have gone.</summary>
internal sealed class ExHookServers(
    IOptions<ExHookOptions> options, IOptions<SecurityOptions> security, IHooks hooks, HookLanes lanes, ExHookInstruments instruments, ILocalSiloDetails silo, TimeProvider time,
    ILogger<ExHookServer> log) : IHostedService
{
    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<ExHookServer> All { get; private set; } = [];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.Servers.Count == 0) return Task.CompletedTask;
        var messages = new ExHookMessages(silo.Name, silo.ClusterId, time);
        All = [.. options.Value.Servers.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one =>
        {
            var calls = new ExHookCalls(one.Key, one.Value, options.Value, instruments);
            return new ExHookServer(one.Key, calls, new ExHookCallbacks(hooks, lanes, calls, messages, options.Value, security.Value), messages, options.Value.AutoReconnect, time, log);
        })];
        return Task.WhenAll(All.Select(server => server.StartAsync()));
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (All.Count > 0) await lanes.DrainAsync(cancellationToken);
        await Task.WhenAll(All.Select(server => server.DisposeAsync().AsTask()));
    }
}
