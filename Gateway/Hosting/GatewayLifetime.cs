using Broker.Gateway.Configuration;
using Broker.Gateway.Links;
using Broker.Gateway.Mqtt;
using Broker.Gateway.Security;
using Broker.Gateway.Transport;
using Broker.Grains.Interfaces.Messages;
using DotNetty.Common.Internal.Logging;
using DotNetty.Transport.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Hosting;

/// <summary>Opens the listeners when all is ready; at the end stops accepting, sends the clients away and waits until their sessions are safe.</summary>
internal sealed partial class GatewayLifetime(
    Listeners listeners, SettingApplier settings, ConnectionTable connections, ShardLinks shards, RetainedLinks retained, DelayedLinks delayed, ClientRegistryLinks registry, IGrainFactory grains, IEventLoopGroup loops,
    IOptionsMonitor<GatewayOptions> options, IOptionsMonitor<SecurityOptions> security, TimeProvider time, ILogger<GatewayLifetime> log) : IHostedService
{
    private static readonly TimeSpan WarmUpPause = TimeSpan.FromSeconds(1);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        while (!await TryWarmUpAsync()) await Task.Delay(WarmUpPause, time, cancellationToken); // a front end may be up before the silos
        await delayed.WarmUpAsync();
        if (!await listeners.StartAsync()) settings.ApplyAgain();
        TellDescriptors();
        var open = listeners.All.Where(one => one.Setup.TakesAnybody(security.CurrentValue.AllowAnonymous)).Select(one => one.Setup.Info.Name).ToArray();
        if (open.Length > 0) LogOpen(log, string.Join(", ", open));
    }

    private async Task<bool> TryWarmUpAsync()
    {
        try
        {
            await Task.WhenAll(shards.WarmUpAsync(grains), retained.WarmUpAsync(), registry.WarmUpAsync());
            return true;
        }
        catch (Exception fault) when (GrainCalls.MayPass(fault))
        {
            LogNotReady(log, fault.Message);
            return false;
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await listeners.StopAsync();
        var elsewhere = options.CurrentValue.ServerReference is { Length: > 0 } reference ? reference : null;
        var code = elsewhere is null ? ReasonCode.ServerShuttingDown : ReasonCode.UseAnotherServer;
        var ending = connections.Enumerate().Select(connection => connection.CloseAsync(code, "server_shutdown", elsewhere)).ToArray();
        LogDraining(log, ending.Length);
        try
        {
            await Task.WhenAll(ending).WaitAsync(options.CurrentValue.DrainTimeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            LogDrainTimeout(log, ending.Count(task => !task.IsCompleted));
        }

        await loops.ShutdownGracefullyAsync(TimeSpan.Zero, TimeSpan.FromSeconds(1));
        InternalLoggerFactory.DefaultFactory = NullLoggerFactory.Instance; // the host's own ends with it, and this one is the process's
    }

    private void TellDescriptors()
    {
        var (configured, possible) = (options.CurrentValue.MaxConnections, DescriptorLimit.MostConnections());
        if (possible >= configured) return;
        // Nobody asked for as many as the default allows.
        var level = configured == GatewayOptions.DefaultMaxConnections ? LogLevel.Information : LogLevel.Warning;
        var needed = DescriptorLimit.DescriptorsFor(configured);
        LogDescriptors(log, level, possible, configured, needed);
    }

    [LoggerMessage(EventId = 4, Message = "There are file descriptors for {Possible} connections, fewer than Gateway:MaxConnections = {Configured}: those above are closed at once. "
        + "To serve more, raise the process's limit of open files (ulimit -n, systemd's LimitNOFILE, docker's --ulimit nofile), up to {Needed}.")]
    private static partial void LogDescriptors(ILogger log, LogLevel level, int possible, int configured, long needed);

    [LoggerMessage(5, LogLevel.Warning, "Anybody who reaches them may use these listeners: {Listeners}. With Security:AllowAnonymous=false clients must prove who they are.")]
    private static partial void LogOpen(ILogger log, string listeners);

    [LoggerMessage(3, LogLevel.Warning, "Not ready: {Reason}")]
    private static partial void LogNotReady(ILogger log, string reason);

    [LoggerMessage(1, LogLevel.Information, "Stopped accepting; sending {Count} clients away.")]
    private static partial void LogDraining(ILogger log, int count);

    [LoggerMessage(2, LogLevel.Warning, "{Count} connections did not end in time.")]
    private static partial void LogDrainTimeout(ILogger log, int count);
}
