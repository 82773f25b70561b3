using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Storage;

namespace Broker.Grains.Routing;

/// <summary>Somewhere a shard's messages go.</summary>
internal interface IDestination
{
    /// <summary>True if a publisher of QoS 1 or 2 must wait for its answer.</summary>
    bool NeedsReceipt { get; }

    /// <summary>Hands over a message.</summary>
    /// <param name="routes">The numbers by which the destination knows the matching subscriptions.</param>
    /// <param name="body">What several durable sessions store together; null if this is the only one.</param>
    /// <param name="receipt">Is answered when the message is safe there; null if nobody waits.</param>
    /// <param name="group">The shared subscription whose turn it was: if the destination dies, another member is to get the message.</param>
    void Deliver(ApplicationMessage message, ulong[] routes, SharedBody? body, PublishReceipt? receipt, SharedGroup? group = null);

    /// <summary>Completes when nothing is on its way there.</summary>
    Task WhenIdleAsync();
}

/// <summary>Makes the destinations that routes name.</summary>
internal interface IDestinationFactory
{
    /// <summary>The destination; null for the gateway of this process, whose messages the publisher delivers itself.</summary>
    IDestination? Create(RouteDestination destination);

    /// <summary>Delivers to the gateway of this process when no publisher is there to do it.</summary>
    void DeliverHere(ApplicationMessage message, ulong[] routes);
}

/// <summary>Numbers a shard's destinations, so that a route is small. Under the shard's lock.</summary>
internal sealed class DestinationTable(IDestinationFactory factory)
{
    /// <summary>The number of this process's own gateway.</summary>
    public const int Own = 0;

    /// <summary>Delivers to the gateway of this process when no publisher is there to do it.</summary>
    public void DeliverHere(ApplicationMessage message, ulong[] routes) => factory.DeliverHere(message, routes);

    private readonly Dictionary<RouteDestination, int> numbers = [];
    private readonly List<Entry> entries = [new(null, null, null)];
    private readonly Stack<int> free = new();

    /// <summary>The number of a destination, which stays its own until <see cref="Release"/> has been called as often.</summary>
    public int Acquire(RouteDestination destination)
    {
        if (!numbers.TryGetValue(destination, out var number))
        {
            var target = factory.Create(destination);
            if (target is null) entries[number = Own] = new Entry(destination, null, null);
            else number = Add(new Entry(destination, target, null));
            numbers.Add(destination, number);
        }

        entries[number].Uses++;
        return number;
    }

    public bool TryFind(RouteDestination destination, out int number) => numbers.TryGetValue(destination, out number);

    public void Release(int number)
    {
        var entry = entries[number];
        if (--entry.Uses > 0 || number == Own) return;
        numbers.Remove(entry.Name!);
        Free(number);
    }

    public int AddGroup(SharedGroup group) => Add(new Entry(null, null, group));

    public void RemoveGroup(int number) => Free(number);

    /// <summary>The group of a number; null if it is no group.</summary>
    public SharedGroup? GroupOf(int number) => entries[number].Group;

    /// <summary>The destination of a number; null for <see cref="Own"/>.</summary>
    public IDestination? TargetOf(int number) => entries[number].Target;

    /// <summary>The name under which a destination was acquired; null for a group.</summary>
    public RouteDestination? NameOf(int number) => entries[number].Name;

    /// <summary>A fingerprint of the routes of a destination, kept by whoever adds and removes them.</summary>
    public ref RouteDigest DigestOf(int number) => ref entries[number].Digest;

    /// <summary>All destinations there are.</summary>
    public IReadOnlyCollection<RouteDestination> Names => numbers.Keys;

    /// <summary>Completes when nothing is on its way to any of them.</summary>
    public Task WhenIdleAsync() => Task.WhenAll(entries.Select(entry => entry.Target?.WhenIdleAsync() ?? Task.CompletedTask));

    /// <summary>A destination has gone for good: it gets nothing more, its routes are waste.</summary>
    public void Kill(int number) => entries[number].IsDead = true;

    /// <summary>Whether a destination has gone for good.</summary>
    public bool IsDead(int number) => entries[number].IsDead;

    private int Add(Entry entry)
    {
        if (free.TryPop(out var number))
        {
            entries[number] = entry;
            return number;
        }

        entries.Add(entry);
        return entries.Count - 1;
    }

    private void Free(int number)
    {
        entries[number] = Unused;
        free.Push(number);
    }

    private static readonly Entry Unused = new(null, null, null);

    private sealed class Entry(RouteDestination? name, IDestination? target, SharedGroup? group)
    {
        public readonly RouteDestination? Name = name;
        public readonly IDestination? Target = target;
        public readonly SharedGroup? Group = group;
        public int Uses;
        public bool IsDead;
        public RouteDigest Digest;
    }
}
