using Broker.Gateway.ExHook.Protocol;
using Microsoft.Extensions.Logging;

namespace Broker.Gateway.ExHook;

/// <summary>One server: told that the broker runs, and from then on asked at the hooks it names.</summary>
/// <remarks>The callbacks stay when the server goes away: `RequestFailedAction` says what that means. It is told anew, and may name other hooks, when it is back.</remarks>
internal sealed partial class ExHookServer(string name, ExHookCalls calls, ExHookCallbacks callbacks, ExHookMessages messages, TimeSpan autoReconnect, TimeProvider time, ILogger log)
    : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly SemaphoreSlim lost = new(0, 1);
    private Task running = Task.CompletedTask;

    public string Name => name;

    /// <summary>Whether it has answered since it was last known to be away.</summary>
    public bool IsConnected { get; private set; }

    /// <summary>The hooks it has named.</summary>
    public IReadOnlyList<string> Hooks { get; private set; } = [];

    /// <summary>Tells the server once, and goes on in the background.</summary>
    public async Task StartAsync()
    {
        callbacks.FailUntilLoaded();
        calls.Lost = () =>
        {
            IsConnected = false;
            if (lost.CurrentCount == 0) lost.Release();
        };
        await LoadAsync();
        running = RunAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running;
        callbacks.Clear();
        if (IsConnected) await calls.AskAsync("provider.unloaded", (client, options) => client.OnProviderUnloadedAsync(new ProviderUnloadedRequest { Meta = messages.Meta }, options));
        calls.Dispose();
        stopping.Dispose();
        lost.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                if (IsConnected) await lost.WaitAsync(stopping.Token);
                if (autoReconnect == TimeSpan.Zero) return;
                await Task.Delay(autoReconnect, time, stopping.Token);
                await LoadAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The broker stops.
        }
    }

    private async Task LoadAsync()
    {
        var answer = await calls.AskAsync("provider.loaded", (client, options) => client.OnProviderLoadedAsync(new ProviderLoadedRequest { Broker = messages.Broker(), Meta = messages.Meta }, options));
        if (answer is null)
        {
            LogUnreachable(log, name, calls.Fault);
            return;
        }

        IsConnected = true;
        Hooks = callbacks.Set(answer.Hooks);
        LogLoaded(log, name, string.Join(", ", Hooks));
        foreach (var unknown in answer.Hooks.Select(one => one.Name).Except(Hooks)) LogUnknown(log, name, unknown);
    }

    [LoggerMessage(1, LogLevel.Warning, "Hook server {Server} cannot be reached: {Fault}")]
    private static partial void LogUnreachable(ILogger log, string server, string fault);

    [LoggerMessage(2, LogLevel.Information, "Hook server {Server} serves {Hooks}")]
    private static partial void LogLoaded(ILogger log, string server, string hooks);

    [LoggerMessage(3, LogLevel.Warning, "Hook server {Server} wants to serve hook {Hook}, which there is not")]
    private static partial void LogUnknown(ILogger log, string server, string hook);
}
