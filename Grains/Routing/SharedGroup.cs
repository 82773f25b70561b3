using System.IO.Hashing;
using System.Text;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;

namespace Broker.Grains.Routing;

/// <summary>The members of one shared subscription in one shard, and whose turn it is. [MQTT-4.8.2] An exclusive one has one member.</summary>
/// <remarks>Thread-safe by a lock of its own: members come and go under the shard's lock, messages choose a member outside it.</remarks>
internal sealed class SharedGroup(SharedStrategy strategy, DestinationTable destinations)
{
    private readonly Lock gate = new();
    private readonly List<Member> members = [];
    private int turn = Random.Shared.Next(1024);
    private Member? stuckTo;

    /// <summary>Its number in the shard's destination table.</summary>
    public int Number { get; set; }

    /// <summary>The filter is exclusive. For a moment there may be two members, where the one that leaves is slower than the one that comes: then the newer one counts.</summary>
    public bool IsExclusive { get; init; }

    public bool IsEmpty => members.Count == 0;

    /// <summary>True if some member must answer before a publisher is told.</summary>
    public bool NeedsReceipt
    {
        get
        {
            lock (gate) return members.Exists(member => member.Target is { NeedsReceipt: true });
        }
    }

    /// <summary>Adds a member. Under the shard's lock.</summary>
    /// <returns>False if it was there.</returns>
    public bool Join(RouteDestination destination, ulong route)
    {
        var number = destinations.Acquire(destination);
        lock (gate)
        {
            if (!members.Exists(member => member.Number == number && member.Routes[0] == route))
            {
                members.Add(new Member(number, destinations.TargetOf(number), [route]));
                return true;
            }
        }

        destinations.Release(number);
        return false;
    }

    /// <summary>Takes a member out. Under the shard's lock.</summary>
    public bool Leave(RouteDestination destination, ulong route)
    {
        if (!destinations.TryFind(destination, out var number)) return false;
        lock (gate)
        {
            var at = members.FindIndex(member => member.Number == number && member.Routes[0] == route);
            if (at < 0) return false;
            if (ReferenceEquals(stuckTo, members[at])) stuckTo = null;
            members.RemoveAt(at);
        }

        destinations.Release(number);
        return true;
    }

    /// <summary>Whether a destination may hold an exclusive filter: nobody else does. A durable session may take over from itself.</summary>
    /// <param name="stale">Routes of an attempt of that session's that came to nothing.</param>
    public bool MayHold(RouteDestination destination, ulong route, out ulong[] stale)
    {
        stale = [];
        lock (gate)
        {
            var known = destinations.TryFind(destination, out var number);
            if (members.Exists(member => !known || member.Number != number || (member.Routes[0] != route && destination.ClientId is null))) return false;
            stale = [.. members.Where(member => member.Routes[0] != route).Select(member => member.Routes[0])];
            return true;
        }
    }

    /// <summary>The members, by destination and route.</summary>
    public (int Destination, ulong Route)[] Members()
    {
        lock (gate) return [.. members.Select(member => (member.Number, member.Routes[0]))];
    }

    /// <summary>Gives a message to one member.</summary>
    /// <param name="shared">Gets the route if the member is in this process's gateway.</param>
    /// <returns>False if there is no member.</returns>
    public bool Dispatch(ApplicationMessage message, PublishReceipt? receipt, List<ulong> shared)
    {
        Member member;
        lock (gate)
        {
            if (members.Count == 0) return false;
            member = Choose(message);
        }

        Hand(member, message, receipt, shared);
        return true;
    }

    /// <summary>The member that had been chosen has died: gives the message to one elsewhere, if there is one.</summary>
    public void DispatchInstead(IDestination dead, ApplicationMessage message, PublishReceipt? receipt)
    {
        Member? member;
        lock (gate) member = members.Find(other => other.Target != dead);
        if (member is null)
        {
            BrokerCounters.Add(Metric.MessagesDroppedNoSubscribers);
            return;
        }

        var here = new List<ulong>();
        Hand(member, message, receipt, here);
        if (here.Count > 0) destinations.DeliverHere(message, [.. here]);
    }

    private void Hand(Member member, ApplicationMessage message, PublishReceipt? receipt, List<ulong> shared)
    {
        // A member may also be a subscriber in its own right, and one that takes over for another gets what that one had: no repetitions either.
        if (member.Target is null) shared.Add(member.Routes[0]);
        else member.Target.Deliver(IsExclusive ? message : message.WithoutOrigin(), member.Routes, null, receipt, this);
    }

    private Member Choose(ApplicationMessage message) => IsExclusive ? members[^1] : strategy switch
    {
        SharedStrategy.RoundRobin => members[(turn = (turn + 1) & int.MaxValue) % members.Count],
        SharedStrategy.Sticky => stuckTo ??= members[Random.Shared.Next(members.Count)],
        SharedStrategy.HashClientId => members[(int)(XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(message.PublisherId)) % (uint)members.Count)],
        SharedStrategy.HashTopic => members[(int)(XxHash3.HashToUInt64(message.Topic.Utf8) % (uint)members.Count)],
        _ => members[Random.Shared.Next(members.Count)],
    };

    private sealed record Member(int Number, IDestination? Target, ulong[] Routes);
}
