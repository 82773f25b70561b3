using System.Buffers.Binary;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using Broker.Gateway.Mqtt.Codec;

namespace Broker.Gateway.Cli.Bench;

/// <summary>One connection of a benchmark: light, so that a process holds as many as it has file descriptors.</summary>
internal sealed class BenchClient(BenchOptions options, BenchTally tally, Dialer dialer, int number, string clientId) : IAsyncDisposable
{
    private const int FirstBuffer = 256, UsualBuffer = 64 * 1024, MostBytes = 256 * 1024 * 1024;
    private static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(5);
    private readonly TaskCompletionSource<bool> greeted = new(TaskCreationOptions.RunContinuationsAsynchronously), subscribed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] buffer = new byte[FirstBuffer];
    private Stream? stream;
    private Outbox? outbox;
    private Task reading = Task.CompletedTask;
    private bool isLeaving;
    private long received, lastSent;

    /// <summary>Messages that have come.</summary>
    public long Received => Volatile.Read(ref received);

    /// <summary>Null for those who do not publish, or not yet.</summary>
    public BenchPublisher? Publisher { get; private set; }

    public bool IsConnected { get; private set; }

    private string Topic => options.Topic.Replace("%c", clientId, StringComparison.Ordinal).Replace("%u", options.UserName ?? "", StringComparison.Ordinal)
        .Replace("%i", $"{number}", StringComparison.Ordinal);

    /// <summary>Connects, and subscribes if it is to; what goes wrong is counted.</summary>
    /// <returns>Whether it has.</returns>
    public async Task<bool> OpenAsync(bool subscribes, CancellationToken cancellation)
    {
        var began = BenchClock.Now;
        try
        {
            stream = await dialer.OpenAsync(number, cancellation);
            outbox = new Outbox(stream);
            Add(BenchPackets.Connect(options, clientId));
            reading = ReadAsync();
            await outbox.FlushAsync();
            lastSent = began;
            if (!await greeted.Task.WaitAsync(cancellation)) return false;
            tally.Connect.Record(BenchClock.Now - began);
            if (subscribes)
            {
                Add(BenchPackets.Subscribe(options, Topic));
                await outbox.FlushAsync();
                if (!await subscribed.Task.WaitAsync(cancellation)) return false;
            }

            return IsConnected = !reading.IsCompleted;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (Exception fault) when (fault is IOException or SocketException or AuthenticationException or WebSocketException)
        {
            tally.Fail($"connect: {Reason(fault)}");
            return false;
        }
    }

    /// <summary>From now on it may publish.</summary>
    public void BeginToPublish() => Publisher = new BenchPublisher(options, tally, outbox!, Topic);

    /// <summary>Sends what was added.</summary>
    public async Task FlushAsync()
    {
        try
        {
            lastSent = BenchClock.Now;
            await outbox!.FlushAsync();
        }
        catch (Exception fault) when (fault is IOException or SocketException or WebSocketException or ObjectDisposedException)
        {
            // The reader notices too, and counts it.
        }
    }

    /// <summary>Says that it is alive if it has sent nothing for so long.</summary>
    /// <param name="now">Of <see cref="BenchClock"/>.</param>
    public void KeepAlive(long now)
    {
        if (!IsConnected || options.KeepAlive == 0 || now - lastSent < options.KeepAlive * 750_000_000L) return;
        Add([.. BenchPackets.Pingreq]);
        _ = FlushAsync();
    }

    /// <summary>Takes leave with DISCONNECT.</summary>
    public async ValueTask DisposeAsync()
    {
        isLeaving = true;
        if (stream is null) return;
        if (IsConnected)
        {
            Add([0xE0, 0]);
            await FlushAsync();
            // Another write may be under way, which takes this with it.
            var began = BenchClock.Now;
            while (outbox!.IsWriting && BenchClock.Now - began < LongestFarewell.Ticks * 100) await Task.Delay(1);
        }

        IsConnected = false;
        await stream.DisposeAsync();
        await reading;
    }

    private void Add(byte[] packet) => outbox!.Add(packet.Length, packet, static (to, bytes) => bytes.CopyTo(to));

    private async Task ReadAsync()
    {
        var reason = "closed by the broker";
        try
        {
            for (int held = 0, read; (read = await stream!.ReadAsync(buffer.AsMemory(held))) > 0;)
            {
                held += read;
                var taken = TakePackets(buffer.AsSpan(0, held), out var wanted);
                held -= taken;
                if (held > 0 && taken > 0) buffer.AsSpan(taken, held).CopyTo(buffer);
                if (wanted > buffer.Length || (read + held >= buffer.Length && buffer.Length < UsualBuffer)) Array.Resize(ref buffer, Math.Max(Math.Min(buffer.Length * 4, UsualBuffer), wanted));
                // Not awaited: a client that waits to write must go on reading, or neither side does.
                if (outbox!.Waiting > 0) _ = FlushAsync();
            }
        }
        catch (Exception fault) when (fault is IOException or SocketException or WebSocketException or ObjectDisposedException or MalformedPacketException or ArgumentException or IndexOutOfRangeException)
        {
            reason = Reason(fault);
        }

        // Not told of by CONNACK or SUBACK.
        if (!isLeaving && (IsConnected || !greeted.Task.IsCompleted)) tally.Fail($"connection: {reason}");
        IsConnected = false;
        greeted.TrySetResult(false);
        subscribed.TrySetResult(false);
    }

    /// <summary>Handles all whole packets.</summary>
    /// <param name="wanted">Bytes that the packet behind them has; 0 if that is not known yet.</param>
    /// <returns>Bytes taken.</returns>
    private int TakePackets(ReadOnlySpan<byte> input, out int wanted)
    {
        var (at, now) = (0, BenchClock.Now);
        wanted = 0;
        while (FrameReader.TryRead(input[at..], MostBytes, out var first, out var bodyStart, out var bodyLength))
        {
            if (input.Length - at < bodyStart + bodyLength)
            {
                wanted = bodyStart + bodyLength;
                break;
            }

            Take(first, input.Slice(at + bodyStart, bodyLength), now);
            at += bodyStart + bodyLength;
        }

        if (Publisher is { } publisher && options.MessageInterval == 0 && options.Qos > 0 && at > 0 && !isLeaving) publisher.Fill();
        return at;
    }

    private void Take(byte first, ReadOnlySpan<byte> body, long now)
    {
        switch (first >> 4)
        {
            case BenchPackets.Publish: TakePublish((first >> 1) & 3, body, now); break;
            case BenchPackets.Connack: Answer(greeted, "CONNACK", body.Length > 1 ? body[1] : (byte)0xFF, 1); break;
            case BenchPackets.Suback: Answer(subscribed, "SUBACK", body[^1], 0x80); break;
            case BenchPackets.Puback or BenchPackets.Pubcomp:
                Judge(first, body);
                Publisher?.Acknowledge(BinaryPrimitives.ReadUInt16BigEndian(body), now);
                break;
            case BenchPackets.Pubrec when Judge(first, body): Acknowledge(BenchPackets.Pubrel, body); break;
            case BenchPackets.Pubrec: Publisher?.Acknowledge(BinaryPrimitives.ReadUInt16BigEndian(body), now); break;
            case BenchPackets.Pubrel: Acknowledge(BenchPackets.Pubcomp, body); break;
            case BenchPackets.Disconnect:
                tally.Fail($"DISCONNECT 0x{(body.Length > 0 ? body[0] : 0):X2}");
                IsConnected = false;
                break;
        }
    }

    private void TakePublish(int qos, ReadOnlySpan<byte> body, long now)
    {
        Volatile.Write(ref received, received + 1); // nobody else writes it
        var at = 2 + BinaryPrimitives.ReadUInt16BigEndian(body);
        if (qos > 0)
        {
            Acknowledge(qos == 1 ? BenchPackets.Puback : BenchPackets.Pubrec, body[at..]);
            at += 2;
        }

        if (options.Version == 5)
        {
            var lengthBytes = VariableByteInteger.Read(body[at..], out var properties);
            at += lengthBytes + properties;
        }

        var payload = body[at..];
        if (payload.Length >= BenchPackets.StampBytes && payload.StartsWith(BenchPackets.Mark)) tally.Deliver.Record(now - BinaryPrimitives.ReadInt64BigEndian(payload[BenchPackets.Mark.Length..]));
    }

    private void Acknowledge(byte type, ReadOnlySpan<byte> identifier) =>
        outbox!.Add(4, (type, BinaryPrimitives.ReadUInt16BigEndian(identifier)), static (to, state) => BenchPackets.WriteAcknowledgement(to, state.type, state.Item2));

    /// <returns>Whether an acknowledgement takes the message.</returns>
    private bool Judge(byte first, ReadOnlySpan<byte> body)
    {
        if (body.Length < 3 || body[2] < 0x80) return true;
        tally.Fail($"{(first >> 4) switch { BenchPackets.Puback => "PUBACK", BenchPackets.Pubrec => "PUBREC", _ => "PUBCOMP" }} 0x{body[2]:X2}");
        return false;
    }

    /// <param name="bad">The first code that refuses.</param>
    private void Answer(TaskCompletionSource<bool> waiting, string packet, byte code, byte bad)
    {
        if (code >= bad) tally.Fail($"{packet} 0x{code:X2}");
        waiting.TrySetResult(code < bad);
    }

    private static string Reason(Exception fault) => (fault is SocketException ? fault : fault.InnerException ?? fault) switch
    {
        SocketException socket => socket.SocketErrorCode.ToString(),
        var other => other.Message,
    };
}
