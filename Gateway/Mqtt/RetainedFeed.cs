using Broker.Gateway.Hosting;
using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Mqtt;

/// <summary>Sends one client the retained messages of its new subscriptions, no faster than its session takes them.</summary>
/// <remarks>A page is read only when the session's queue has room for it, so that any number of retained messages neither fills memory nor
/// pushes anything out of the queue. What is left goes on when the client acknowledges or its socket takes more. On the connection's event loop only.</remarks>
internal sealed class RetainedFeed(Connection connection, RetainedLinks retained, MqttOptions options)
{
    private const int MaxPage = 500;

    /// <summary>A successor of this connection waits as long.</summary>
    private static readonly TimeSpan MostPatience = TimeSpan.FromSeconds(1);

    private readonly LinkedList<Job> jobs = [];
    private bool running;

    /// <summary>Adds a subscription that is to get its retained messages; subscribing again starts them again.</summary>
    public void Add(in Subscription subscription)
    {
        Cancel(subscription.Filter);
        jobs.AddLast(new Job(subscription, retained.Read(subscription.Filter)));
    }

    /// <summary>Adds what an earlier connection of the session left.</summary>
    public void Resume(in RetainedRest rest) =>
        jobs.AddLast(new Job(rest.Subscription, retained.Read(rest.Subscription.Filter, rest.Partition, rest.After)));

    /// <summary>What is left for the session's next connection, once this one is ending; null for nothing.</summary>
    /// <remarks>Looks whether there is anything: a client that leaves before its feed could begin must not get later what is retained meanwhile, which
    /// reaches its session as it is published.</remarks>
    public async ValueTask<RetainedRest[]?> RestsAsync()
    {
        List<RetainedRest>? rests = null;
        foreach (var (subscription, reader) in jobs.ToArray())
        {
            if (await HasNoMoreAsync(reader)) continue;
            (rests ??= []).Add(new RetainedRest(subscription, reader.Partition, reader.After));
        }

        return rests?.ToArray();
    }

    /// <summary>The subscription has ended: it gets no more of them.</summary>
    public void Cancel(in TopicFilter filter)
    {
        for (var node = jobs.First; node is not null; node = node.Next)
        {
            if (node.Value.Subscription.Filter.Text != filter.Text) continue;
            jobs.Remove(node);
            return;
        }
    }

    /// <summary>Sends what the session has room for now.</summary>
    public void Pump()
    {
        if (!running && jobs.Count > 0 && Room() > 0) _ = PumpAsync();
    }

    private async ValueTask<bool> HasNoMoreAsync(RetainedReader reader)
    {
        try
        {
            return await reader.SkipToNextAsync().AsTask().WaitAsync(MostPatience, connection.Loop.Time);
        }
        catch (Exception) // a partition that cannot be asked now: the next connection will
        {
            return false;
        }
    }

    private async Task PumpAsync()
    {
        running = true;
        try
        {
            while (!connection.IsEnding && jobs.First is { } node && Room() is > 0 and var room)
            {
                var page = await node.Value.Reader.ReadAsync(room);
                foreach (var message in page.Messages)
                {
                    if (connection.IsEnding || node.List is null) break;
                    connection.Session!.DeliverRetained(message, node.Value.Subscription);
                }

                if (connection.IsEnding) break; // what was not delivered is left
                node.Value.Reader.Advance(page);
                if (node.Value.Reader.Done && node.List is not null) jobs.Remove(node);
            }
        }
        catch (Exception error) // ours, whatever it is: it costs this connection
        {
            connection.Fail(error);
        }
        finally
        {
            running = false;
        }
    }

    /// <summary>How many messages the session can take without dropping any: up to half its queue, the rest is for live ones.</summary>
    private int Room()
    {
        if (!connection.Sender.IsWritable) return 0;
        var waiting = connection.Session!.QueueLength;
        // One by one, so that none of QoS 0 meets a queue that does not take it.
        if (!options.QueueQos0) return waiting == 0 ? 1 : 0;
        var most = options.MaxQueueLength == 0 ? MaxPage : Math.Clamp(options.MaxQueueLength / 2, 1, MaxPage);
        return most - waiting;
    }

    private readonly record struct Job(Subscription Subscription, RetainedReader Reader);
}
