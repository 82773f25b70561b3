using System.Runtime.InteropServices;
using Broker.Grains.Storage.Writes;

namespace Broker.Grains.Storage;

/// <summary>Finds appends whose removal is in the same batch: neither need be written.</summary>
internal sealed class BatchCoalescer
{
    private readonly Dictionary<(SessionLease Lease, long Sequence), AppendToQueue> appends = [];

    /// <summary>Cancels such pairs. Both are still reported as committed, in their turn.</summary>
    /// <remarks>Only a removal that comes after its append, by the same lease, counts.</remarks>
    /// <returns>How many appends of the batch are cancelled, by this or by their owner.</returns>
    public int Cancel(List<StoreWrite> batch)
    {
        if (!HasBoth(batch, out var cancelled)) return cancelled;
        foreach (var write in CollectionsMarshal.AsSpan(batch))
        {
            if (write is WriteGroup group)
            {
                foreach (var member in group.Members) cancelled += Visit(member);
            }
            else
            {
                cancelled += Visit(write);
            }
        }

        appends.Clear();
        return cancelled;
    }

    private int Visit(StoreWrite write)
    {
        if (write is AppendToQueue append)
        {
            if (!append.IsCancelled) appends.TryAdd((append.Lease, append.Sequence), append);
        }
        else if (write is RemoveFromQueue removal && appends.Remove((removal.Lease, removal.Sequence), out var undone) && undone.TryCancel())
        {
            removal.IsMoot = true;
            return 1;
        }

        return 0;
    }

    private static bool HasBoth(List<StoreWrite> batch, out int cancelled)
    {
        cancelled = 0;
        bool hasAppend = false, hasRemoval = false;
        foreach (var write in CollectionsMarshal.AsSpan(batch))
        {
            var last = write is WriteGroup group ? group.Members : null;
            for (var i = 0; i < (last?.Length ?? 1); i++)
            {
                var one = last is null ? write : last[i];
                hasRemoval |= one is RemoveFromQueue;
                if (one is not AppendToQueue append) continue;
                hasAppend = true;
                if (append.IsCancelled) cancelled++;
            }
        }

        return hasAppend && hasRemoval;
    }
}
