using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Metrics;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Mqtt;

/// <summary>Stops reading from a client while an earlier packet waits for an answer from elsewhere, or somebody cannot keep up with the client.</summary>
/// <remarks>The packets behind keep their order, and the client feels it as back-pressure. On the connection's event loop only.</remarks>
internal sealed class ReadingPause(Connection connection, IChannel channel)
{
    private int reasons;
    private Action? goOn;

    /// <summary>True while nothing is read.</summary>
    public bool IsPaused => reasons > 0;

    /// <summary>Stops reading; as many <see cref="End"/> must follow.</summary>
    public void Begin()
    {
        if (reasons++ == 0) channel.Configuration.AutoRead = false;
    }

    /// <summary>Goes on reading, first with what has been read already.</summary>
    public void End()
    {
        if (--reasons > 0 || connection.IsEnding) return;
        connection.Frames!.Resume();
        if (reasons == 0 && !connection.IsEnding) channel.Configuration.AutoRead = true;
    }

    /// <summary>Reads no more until somebody has caught up with what this client sent.</summary>
    public void WaitFor(ICongestion behind)
    {
        BrokerCounters.Add(Metric.ClientReadPaused);
        Begin();
        behind.WhenRoom(goOn ??= () => connection.Loop.Run(End));
    }

    /// <summary>Runs what may have to wait for an answer from elsewhere; the client's next packet waits for it.</summary>
    public async Task RunAsync(Func<ValueTask> work)
    {
        var task = work();
        if (task.IsCompletedSuccessfully) return;
        Begin();
        try
        {
            await task;
        }
        catch (Exception error) // the boundary of this connection
        {
            connection.Fail(error);
        }

        End();
    }
}
