using System.Buffers.Binary;

namespace Broker.Gateway.Cli.Bench;

/// <summary>A client's messages: how many it may leave unacknowledged, and when each was sent.</summary>
/// <remarks>Used by the pacer, the flood and the client's reader: everything under the lock.</remarks>
internal sealed class BenchPublisher
{
    /// <summary>Bytes that may wait for a socket: a broker that does not read must not fill this process's memory.</summary>
    private const int MostWaiting = 64 * 1024;

    private readonly Lock gate = new();
    private readonly BenchTally tally;
    private readonly Outbox outbox;
    private readonly byte[] packet;
    private readonly int identifierAt, payloadAt;
    private readonly bool isStamped;
    private readonly Stack<ushort> free = [];
    private readonly long[] sentAt;
    private long sent, acknowledged, heldBack;
    private bool isStopped;

    public BenchPublisher(BenchOptions options, BenchTally tally, Outbox outbox, string topic)
    {
        (this.tally, this.outbox) = (tally, outbox);
        packet = BenchPackets.PublishOf(options, topic, out identifierAt, out payloadAt);
        isStamped = options.Size >= BenchPackets.StampBytes;
        sentAt = options.Qos > 0 ? new long[options.Inflight + 1] : [];
        for (var identifier = sentAt.Length - 1; identifier > 0; identifier--) free.Push((ushort)identifier);
    }

    public long Sent => Interlocked.Read(ref sent);

    public long Acknowledged => Interlocked.Read(ref acknowledged);

    /// <summary>Messages that were due and were not sent: the broker reads, or acknowledges, too slowly.</summary>
    public long HeldBack => Interlocked.Read(ref heldBack);

    private bool IsAcknowledged => identifierAt > 0;

    /// <summary>Sends as much as may be under way.</summary>
    /// <returns>Whether there may be more to send.</returns>
    public bool Fill()
    {
        lock (gate)
        {
            if (isStopped) return false;
            var now = BenchClock.Now;
            while (CanSend)
            {
                if (!tally.TryTake()) return false;
                Send(now);
            }

            return true;
        }
    }

    /// <summary>Sends the message that is due.</summary>
    /// <returns>False when no more are to be sent.</returns>
    public bool SendDue()
    {
        lock (gate)
        {
            if (isStopped) return false;
            if (!CanSend)
            {
                heldBack++;
                return true;
            }

            if (!tally.TryTake()) return false;
            Send(BenchClock.Now);
            return true;
        }
    }

    /// <summary>From now on it sends no more.</summary>
    public void Stop()
    {
        lock (gate) isStopped = true;
    }

    /// <summary>A message has been acknowledged.</summary>
    /// <param name="now">Of <see cref="BenchClock"/>.</param>
    public void Acknowledge(ushort identifier, long now)
    {
        lock (gate)
        {
            if (identifier == 0 || identifier >= sentAt.Length || sentAt[identifier] == 0)
            {
                tally.Fail("acknowledgement of an unknown packet identifier");
                return;
            }

            tally.Acknowledge.Record(now - sentAt[identifier]);
            sentAt[identifier] = 0;
            free.Push(identifier);
            acknowledged++;
        }
    }

    private bool CanSend => outbox.Waiting + packet.Length <= Math.Max(MostWaiting, packet.Length) && (!IsAcknowledged || free.Count > 0);

    private void Send(long now)
    {
        ushort identifier = 0;
        if (IsAcknowledged) sentAt[identifier = free.Pop()] = now;
        outbox.Add(packet.Length, (Publisher: this, Identifier: identifier, Now: now), static (to, state) => state.Publisher.Write(to, state.Identifier, state.Now));
        sent++;
    }

    private void Write(Span<byte> to, ushort identifier, long now)
    {
        packet.CopyTo(to);
        if (identifierAt > 0) BinaryPrimitives.WriteUInt16BigEndian(to[identifierAt..], identifier);
        if (isStamped) BinaryPrimitives.WriteInt64BigEndian(to[(payloadAt + BenchPackets.Mark.Length)..], now);
    }
}
