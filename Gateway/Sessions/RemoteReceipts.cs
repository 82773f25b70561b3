using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Sessions;

/// <summary>The gateway's copy of the incoming QoS 2 identifiers that a durable session elsewhere has reserved, and whoever waits for the session to store them.</summary>
/// <remarks>The copy decides at once whether a message is new; the session follows it. On the connection's event loop only.</remarks>
internal sealed class RemoteReceipts
{
    private readonly SessionState copy;
    private readonly Dictionary<long, PublishReceipt> awaited = [];
    private long lastNumber;
    private bool abandoned;

    /// <param name="session">What the session knew when it was opened; all of it is taken, the bound holds from then on.</param>
    public RemoteReceipts(SessionLimits limits, SessionPlace session, long nowMs)
    {
        copy = new SessionState(limits with { MaxAwaitingRelease = 0 });
        foreach (var (identifier, number) in session.Receipts) copy.RestoreReceipt(identifier, number, nowMs);
        copy.LastReceiptNumber = session.LastReceiptNumber;
        copy.Limits = limits;
    }

    /// <inheritdoc cref="ISession.TryReceive"/>
    public ReceiveOutcome TryReceive(ushort packetIdentifier, long nowMs, out long number) => copy.TryReceive(packetIdentifier, nowMs, out number);

    /// <inheritdoc cref="ISession.Release"/>
    public bool Release(ushort packetIdentifier) => copy.Release(packetIdentifier);

    /// <summary>Frees the identifiers whose PUBREL did not come in time, as the session does.</summary>
    public void Expire(long nowMs) => copy.ExpireReceipts(nowMs);

    /// <summary>A receipt waits for the session's answer.</summary>
    /// <returns>The number by which it will come.</returns>
    public long Await(PublishReceipt receipt)
    {
        receipt.Expect();
        // Nobody answers any more: a message that was under way when its connection ended.
        if (abandoned) receipt.Answer(ReasonCode.ServerShuttingDown);
        else awaited.Add(++lastNumber, receipt);
        return lastNumber;
    }

    /// <summary>The session's answer; one that nobody waits for any more is none.</summary>
    public void Answer(long number, ReasonCode code)
    {
        if (awaited.Remove(number, out var receipt)) receipt.Answer(code);
    }

    /// <summary>The connection has ended: what has not been answered never will be.</summary>
    public void Abandon()
    {
        abandoned = true;
        foreach (var receipt in awaited.Values.ToArray()) receipt.Answer(ReasonCode.ServerShuttingDown);
        awaited.Clear();
    }
}
