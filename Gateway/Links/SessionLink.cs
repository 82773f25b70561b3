using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Gateway.Links;

/// <summary>The way from this gateway's connections to the durable sessions of one other process, all of them on one link. Thread-safe.</summary>
/// <remarks>Bounded by consent: a client whose command finds the link <see cref="IsFull"/> is not read until that command is done. What the
/// link cannot take even so, and whatever could not be brought to its session, costs the connection: its client comes back.</remarks>
internal sealed class SessionLink(SiloAddress silo, ISessionService service, SiloAddress self, ISiloStatusOracle silos, TimeProvider time, int capacity = SessionLink.Capacity)
    : BatchLink<SessionLink.Work>(capacity, maxBatch: 1000, giveUpAfter: TimeSpan.FromSeconds(30), time)
{
    private const int Capacity = 200_000;
    private readonly int full = capacity / 4;

    /// <summary>The process of the sessions.</summary>
    public SiloAddress Silo => silo;

    /// <summary>True if clients should be slowed.</summary>
    public bool IsFull => Waiting >= full;

    /// <summary>True if the process of the sessions has gone for good.</summary>
    protected override bool IsGone => silos.IsDeadSilo(silo);

    protected override int SizeOf(in Work work) => work.Command.Message is { } message ? 64 + message.Payload.Length : 64;

    protected override async Task SendAsync(Work[] batch, long batchNumber)
    {
        var refused = await service.Execute(new SessionCommandBatch(Id, batchNumber, self, Array.ConvertAll(batch, work => work.Command)));
        if (refused.Length > 0) Refuse(batch, refused);
        foreach (var work in batch)
        {
            work.Session.Executed(work.Resumes);
            work.Done?.TrySetResult();
        }
    }

    protected override void OnGivenUp(Work[] batch, Exception error)
    {
        foreach (var work in batch)
        {
            if (work.Done is null) work.Session.Lose(ReasonCode.ServerShuttingDown);
            else work.Done.TrySetResult(); // it leaves anyhow
        }
    }

    private static void Refuse(Work[] batch, RefusedConnection[] refused)
    {
        var codes = new Dictionary<ulong, ReasonCode>(refused.Length);
        foreach (var (connection, code) in refused) codes[connection] = code;
        foreach (var work in batch)
        {
            // One that leaves need not be sent away.
            if (work.Command.Kind != SessionCommandKind.Detach && codes.Remove(work.Command.Connection, out var code)) work.Session.Lose(code);
        }
    }

    /// <param name="Session">The connection's end of the session.</param>
    /// <param name="Resumes">The client is read again when this has been done.</param>
    /// <param name="Done">Ends when this has been done, or never will be.</param>
    internal readonly record struct Work(RemoteSession Session, SessionCommand Command, bool Resumes, TaskCompletionSource? Done);
}
