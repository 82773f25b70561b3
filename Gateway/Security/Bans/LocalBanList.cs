using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Broker.Gateway.Security.Bans;

/// <summary>Bans in the memory of this process.</summary>
/// <remarks>Thread-safe. What has ended goes when something is added; if there are too many, what would end next.</remarks>
internal sealed class LocalBanList(TimeProvider time, int capacity = LocalBanList.DefaultCapacity) : IBanList
{
    public const int DefaultCapacity = 100_000;

    private readonly Lock gate = new();
    private readonly Dictionary<(BanKind Kind, string Who), Ban> byName = [];
    private readonly NetworkBans byNetwork = new();

    /// <summary>The bans by their ends. What has been replaced is taken out when its turn comes.</summary>
    private readonly PriorityQueue<Ban, DateTimeOffset> byEnd = new();

    /// <summary>How many there are, also those that have ended but are still there.</summary>
    public int Count
    {
        get
        {
            lock (gate) return byName.Count + byNetwork.Count;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="FormatException">The address is none.</exception>
    public ValueTask BanAsync(Ban ban)
    {
        lock (gate)
        {
            DropEnded();
            if (ban.Kind != BanKind.Address) byName[(ban.Kind, ban.Who)] = ban;
            else if (NetworkBans.TryParse(ban.Who, out var network)) byNetwork.Set(network, ban);
            else throw new FormatException($"'{ban.Who}' is neither an address nor a network.");
            byEnd.Enqueue(ban, ban.Until);
            while (byName.Count + byNetwork.Count > capacity) Remove(byEnd.Dequeue());
            if (byEnd.Count > capacity * 2L) DropReplaced();
        }

        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public bool IsBanned(ClientInfo client, [NotNullWhen(true)] out Ban? ban)
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            if (byName.TryGetValue((BanKind.ClientId, client.ClientId), out ban) && ban.Until > now) return true;
            if (client.UserName is { } user && byName.TryGetValue((BanKind.UserName, user), out ban) && ban.Until > now) return true;
            ban = null;
            return client.RemoteAddress is IPEndPoint from && byNetwork.TryFind(from.Address, now, out ban);
        }
    }

    /// <summary>Who is banned anew all the time must not fill the queue with what he was banned for before.</summary>
    private void DropReplaced()
    {
        byEnd.Clear();
        byEnd.EnqueueRange(byName.Values.Concat(byNetwork.All).Select(ban => (ban, ban.Until)));
    }

    private void DropEnded()
    {
        var now = time.GetUtcNow();
        while (byEnd.TryPeek(out var ban, out var until) && until <= now) Remove(byEnd.Dequeue());
    }

    private void Remove(Ban ban)
    {
        if (ban.Kind == BanKind.Address) byNetwork.Remove(ban);
        else if (byName.TryGetValue((ban.Kind, ban.Who), out var current) && ReferenceEquals(current, ban)) byName.Remove((ban.Kind, ban.Who));
    }
}
