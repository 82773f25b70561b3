using Broker.Gateway.Hooks;
using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using DotNetty.Common.Concurrency;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Links;

/// <summary>What belongs to one event loop: its filters, its deadlines, what is to be flushed, and its mailbox for other threads.</summary>
/// <remarks>All but <see cref="Mailbox"/> is touched on the loop only.</remarks>
internal sealed class LoopContext : IRunnable
{
    private static readonly TimeSpan StaleRetry = TimeSpan.FromMilliseconds(50);

    private readonly long originSource = Random.Shared.NextInt64();
    private readonly List<PacketSender> unflushed = [];
    private readonly List<PacketSender> flushing = [];
    private readonly MicrosecondClock clock;
    private long originNumber;

    public LoopContext(int index, IEventLoop loop, ShardMap map, Pulse pulse, TimeProvider time)
    {
        Pulse = pulse;
        Index = index;
        Loop = loop;
        Time = time;
        clock = new MicrosecondClock(time);
        Filters = new FilterTable(index, map);
        Deadlines = new DeadlineWheel(loop, time);
        Delivery = new LoopDelivery(this);
        Mailbox = new LoopMailbox(this);
    }

    /// <summary>Its place among the gateway's loops, from 0; part of every route.</summary>
    public int Index { get; }

    public IEventLoop Loop { get; }

    public TimeProvider Time { get; }

    /// <summary>Whether anything may leave for a client.</summary>
    public Pulse Pulse { get; }

    public FilterTable Filters { get; }

    public DeadlineWheel Deadlines { get; }

    public LoopDelivery Delivery { get; }

    public LoopMailbox Mailbox { get; }

    /// <summary>The gateway's hooks.</summary>
    public BrokerHooks Hooks { get; init; } = BrokerHooks.None;

    /// <summary>Where the times go that clients wait; null if nowhere.</summary>
    public LatencyInstruments? Latencies { get; init; }

    /// <summary>What times and traces deliveries.</summary>
    public DeliveryWatch Watch { get; init; } = new(null, 0);

    /// <summary>What chooses the messages that are traced; null if none is.</summary>
    public MessageSampler? Sampler { get; init; }

    /// <summary>The last PUBLISH encoded for several subscribers.</summary>
    public EncodedPublish Encoded { get; } = new();

    /// <summary>Routes chosen by shared subscriptions; emptied by whoever publishes.</summary>
    public List<ulong> SharedRoutes { get; } = [];

    /// <summary>Who could not keep up with the last message published on this loop; its publisher waits for it.</summary>
    public ICongestion? Congested { get; set; }

    /// <summary>Now, in Unix milliseconds.</summary>
    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>When the packets that are being handled were read, as <see cref="TimeProvider.GetTimestamp"/> has it: asked once for all of them.</summary>
    public long ReadAt { get; private set; }

    /// <summary>The same in Unix microseconds.</summary>
    public long ReadAtMicroseconds { get; private set; }

    /// <summary>Now, in Unix microseconds by the clock of <see cref="ReadAtMicroseconds"/>.</summary>
    public long NowMicroseconds => clock.Read(Time.GetTimestamp());

    /// <summary>Packets have been read.</summary>
    public void BeginRead() => ReadAtMicroseconds = clock.Read(ReadAt = Time.GetTimestamp());

    /// <summary>The name between nodes of the next QoS 2 message whose publisher's session lives in this process only.</summary>
    public MessageOrigin NextOrigin() => new(originSource, ++originNumber);

    /// <summary>Flushes a connection once, after everything of this turn of the loop has been handled.</summary>
    public void FlushSoon(PacketSender sender)
    {
        unflushed.Add(sender);
        if (unflushed.Count == 1) Loop.Execute(this);
    }

    /// <summary>Runs <paramref name="action"/> on the loop: at once if this is the loop.</summary>
    public void Run(Action action)
    {
        if (Loop.InEventLoop) action();
        else Loop.Execute(action);
    }

    /// <summary>Runs something on the loop for another thread.</summary>
    /// <exception cref="RejectedExecutionException">The loop has ended, and with it all its connections.</exception>
    public Task<T> AskAsync<T>(Func<T> question)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Loop.Execute(() =>
        {
            try
            {
                done.SetResult(question());
            }
            catch (Exception fault) // it is the asker's
            {
                done.SetException(fault);
            }
        });
        return done.Task;
    }

    /// <summary>The flush task itself.</summary>
    void IRunnable.Run()
    {
        if (!Pulse.IsFresh)
        {
            Loop.Schedule(this, StaleRetry);
            return;
        }

        flushing.AddRange(unflushed);
        unflushed.Clear();
        foreach (var sender in flushing) sender.Flush();
        flushing.Clear();
        Watch.Flushed(this);
    }
}

/// <summary>Remembers one encoded PUBLISH, so that many subscribers of equal version and options share the work.</summary>
internal sealed class EncodedPublish
{
    /// <summary>Larger packets are not copied per subscriber but written from the shared payload.</summary>
    public const int MaxBytes = 8 * 1024;

    private readonly byte[] bytes = new byte[MaxBytes];
    private ApplicationMessage? message;
    private object? codec;
    private bool retain;
    private int mountpoint;
    private int length;

    /// <summary>The packet, if it is the one remembered; empty otherwise.</summary>
    /// <param name="wantedMountpoint">How many bytes are taken off the topic.</param>
    public ReadOnlySpan<byte> Find(ApplicationMessage wanted, object wantedCodec, bool wantedRetain, int wantedMountpoint) =>
        ReferenceEquals(message, wanted) && ReferenceEquals(codec, wantedCodec) && retain == wantedRetain && mountpoint == wantedMountpoint
            ? bytes.AsSpan(0, length) : [];

    public void Remember(ApplicationMessage encoded, object encodedCodec, bool encodedRetain, int encodedMountpoint, ReadOnlySpan<byte> packet)
    {
        (message, codec, retain, mountpoint, length) = (encoded, encodedCodec, encodedRetain, encodedMountpoint, packet.Length);
        packet.CopyTo(bytes);
    }
}
