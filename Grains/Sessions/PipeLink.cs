using Broker.Grains.Interfaces.Gateways;
using Broker.Grains.Interfaces.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Grains.Sessions;

/// <summary>The way from this process's durable sessions to the connections of one gateway, all of them on one link. Thread-safe.</summary>
/// <remarks>Each session's share is bounded by its window. If the gateway as a whole is slow, sessions stop sending when a quarter is taken; what
/// must be said even so finds room up to the link's capacity, and what does not closes its connection.</remarks>
internal sealed class PipeLink(SiloAddress gateway, IGatewayService service, ISiloStatusOracle silos, TimeProvider time, int capacity = PipeLink.Capacity)
    : BatchLink<PipeLink.Work>(capacity, maxBatch: 1000, giveUpAfter: TimeSpan.FromSeconds(30), time)
{
    private const int Capacity = 200_000;

    private readonly int full = capacity / 4;
    private readonly Lock gate = new();
    private HashSet<RemotePipe> waiting = [];

    protected override bool IsGone => silos.IsDeadSilo(gateway);

    /// <summary>Whether deliveries may be sent now. If not, the pipe's session goes on when there is room.</summary>
    public bool HasRoom(RemotePipe pipe)
    {
        if (Waiting < full) return true;
        lock (gate)
        {
            // Asked again under the lock: what waits now has its batches still before it, and the last of them relieves whoever is listed here.
            if (Waiting < full) return true;
            waiting.Add(pipe);
            return false;
        }
    }

    /// <summary>Closes a connection past the link.</summary>
    public void CloseConnection(ulong connection) => _ = Task.Run(async () =>
    {
        try
        {
            if (!silos.IsDeadSilo(gateway)) await service.Close(connection, ReasonCode.ServerBusy);
        }
        catch (Exception) // the boundary of a call that nobody waits for
        {
            // The gateway learns it from its next command, which is refused.
        }
    });

    protected override int SizeOf(in Work work) => work.Item.Delivery.Message is null ? 32 : DeliveryWindow.WeightOf(work.Item.Delivery);

    protected override async Task SendAsync(Work[] batch, long batchNumber)
    {
        await service.Pipe(new PipeBatch(Id, batchNumber, Array.ConvertAll(batch, work => work.Item)));
        Relieve();
    }

    protected override void OnGivenUp(Work[] batch, Exception error)
    {
        foreach (var work in batch) work.Pipe.Break();
        Relieve();
    }

    private void Relieve()
    {
        HashSet<RemotePipe> relieved;
        lock (gate)
        {
            if (waiting.Count == 0 || Waiting >= full) return;
            (relieved, waiting) = (waiting, []);
        }

        foreach (var pipe in relieved) pipe.Session.Drain();
    }

    internal readonly record struct Work(RemotePipe Pipe, PipeItem Item);
}
