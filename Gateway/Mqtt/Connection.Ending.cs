using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Mqtt;

// How a connection ends.
internal sealed partial class Connection
{
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool leftHandshake;

    /// <summary>Completes when the connection has ended, its session has left it, and it can send no more.</summary>
    public Task Ended => ended.Task;

    /// <summary>It takes no place among the handshakes any more.</summary>
    public void LeaveHandshake()
    {
        if (!leftHandshake) services.Admission.End();
        leftHandshake = true;
    }

    /// <summary>The one way out, whatever the reason. Later calls do nothing.</summary>
    private void End(string reason)
    {
        if (IsEnding) return;
        Tracer?.Ended(reason);
        var wasConnected = Phase == ConnectionPhase.Connected;
        Phase = ConnectionPhase.Ending;
        KeepAlive.Stop();
        Peer.Listener.Ended(reason);
        if (wasConnected) services.Gauges.Add(Gauge.Connections, -1);
        else LeaveHandshake();
        Sender.Close();
        _ = LeaveAsync(wasConnected, reason);
    }

    private async Task LeaveAsync(bool wasConnected, string reason)
    {
        try
        {
            if (handshake is not null) await handshake.AbandonAsync();
            if (wasConnected)
            {
                BrokerCounters.Add(Metric.ClientDisconnected);
                foreach (var observer in services.Observers) observer.Disconnected(Client!, reason);
                // A durable session's end is its grain's to count, a replaced one's its successor's.
                if (!Session!.StoresReceipts && !isTakenOver) services.EndSession(Client!);
                await services.Registry.UnregisterAsync(Client!.ClientId, Number, Session.CloseAsync(publishWill, changedExpiry));
            }
        }
        catch (Exception error) { LogError(error); } // the boundary of this connection
        finally
        {
            services.Connections.Remove(this);
            ended.TrySetResult();
        }
    }
}
