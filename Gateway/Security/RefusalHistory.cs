using Broker.Grains.Interfaces.Messages;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Security;

/// <summary>What was refused to a client.</summary>
internal enum RefusalKind
{
    Connect,
    Publish,
    Subscribe,
}

/// <summary>One refusal, for whoever asks why.</summary>
/// <param name="Source">The source that said no, or <see cref="Broker"/>.</param>
internal sealed record Refusal(RefusalKind Kind, ReasonCode Code, string Source)
{
    /// <summary>The broker itself, by its configuration or the standard.</summary>
    public const string Broker = "broker";

    /// <summary>Filled in by the history.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The rule that matched, as the source names it.</summary>
    public string? Rule { get; init; }

    public string? Reason { get; init; }

    /// <summary>The topic or filter, as the client wrote it.</summary>
    public string? Topic { get; init; }
}

/// <summary>The last refusals of the clients refused last, in this process.</summary>
/// <remarks>Thread-safe. Who was refused longest ago makes room: somebody who tries random client identifiers costs the history of others, but no memory.</remarks>
internal sealed class RefusalHistory(IOptions<SecurityOptions> security, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly SecurityOptions options = security.Value;
    private readonly Dictionary<string, LinkedListNode<History>> clients = new(StringComparer.Ordinal);

    /// <summary>By the time of their last refusal, the longest ago first.</summary>
    private readonly LinkedList<History> byAge = [];

    private sealed record History(string ClientId, Queue<Refusal> Refusals);

    public void Add(string clientId, Refusal refusal)
    {
        if (options.RefusalHistoryClients == 0) return;
        lock (gate)
        {
            if (clients.TryGetValue(clientId, out var node)) byAge.Remove(node);
            else node = MakeRoomFor(clientId);
            byAge.AddLast(node);
            var refusals = node.Value.Refusals;
            if (refusals.Count >= options.RefusalHistoryLength) refusals.Dequeue();
            refusals.Enqueue(refusal with { At = time.GetUtcNow() });
        }
    }

    /// <summary>The last refusals of a client, the oldest first.</summary>
    public Refusal[] Of(string clientId)
    {
        lock (gate) return clients.TryGetValue(clientId, out var node) ? [.. node.Value.Refusals] : [];
    }

    private LinkedListNode<History> MakeRoomFor(string clientId)
    {
        if (clients.Count >= options.RefusalHistoryClients)
        {
            clients.Remove(byAge.First!.Value.ClientId);
            byAge.RemoveFirst();
        }

        return clients[clientId] = new LinkedListNode<History>(new History(clientId, new Queue<Refusal>()));
    }
}
