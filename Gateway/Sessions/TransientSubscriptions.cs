using Broker.Gateway.Links;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Routing;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Sessions;

/// <summary>The subscriptions of one transient session, kept in step with its loop's filter table and the shards.</summary>
/// <remarks>On the session's event loop only.</remarks>
internal sealed class TransientSubscriptions(TransientSession session, LoopContext loop, TransientSubscriptions.Services services)
{
    /// <summary>The filters this session is subscribed to.</summary>
    private readonly HashSet<LocalFilter> own = [];

    /// <summary>Those of them that are shared or exclusive.</summary>
    private Dictionary<string, LocalFilter>? grouped;

    /// <summary>What all transient sessions need of the gateway.</summary>
    internal sealed record Services(ShardLinks Shards, MessageRouter Router, BrokerGauges Gauges);

    public int Count => own.Count;

    /// <summary>All of them.</summary>
    public Subscription[] Copy() => [.. own.Select(local => new Subscription(local.Filter, local.OptionsOf(session)))];

    /// <summary>Whether there is a subscription with this filter.</summary>
    public bool Contains(in TopicFilter filter) => filter.IsGrouped
        ? grouped is not null && grouped.ContainsKey(filter.Text)
        : loop.Filters.TryFind(filter, out var local) && local.Contains(session);

    public async ValueTask<SubscribeResult[]> SubscribeAsync(Subscription[] requested)
    {
        var results = new SubscribeResult[requested.Length];
        var changes = new List<RouteChange>(requested.Length);
        List<Task>? others = null;
        List<(int At, LocalFilter Local)>? claims = null;
        for (var i = 0; i < requested.Length; i++)
        {
            var (filter, options) = requested[i];
            results[i] = new SubscribeResult((ReasonCode)options.Qos, IsNew: Add(filter, options, changes, out var local));
            if (local.IsClaiming) (claims ??= []).Add((i, local));
            if (local.Registering is { } running) (others ??= []).Add(running);
        }

        if (changes.Count > 0 && !services.Shards.TryChange(changes)) await RegisterAsync(changes);
        if (others is not null) await Task.WhenAll(others);
        if (claims is not null) await ClaimAsync(claims, results);
        return results;
    }

    public async ValueTask<ReasonCode[]> UnsubscribeAsync(TopicFilter[] filters)
    {
        var changes = new List<RouteChange>(filters.Length);
        var codes = Array.ConvertAll(filters, filter => Remove(filter, changes) ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted);
        if (changes.Count > 0 && !services.Shards.TryChange(changes)) await services.Shards.ChangeAsync(changes);
        return codes;
    }

    /// <summary>Ends all of them.</summary>
    public async ValueTask ClearAsync()
    {
        var changes = new List<RouteChange>();
        foreach (var filter in own.ToArray()) Remove(filter, changes);
        grouped = null;
        if (changes.Count > 0 && !services.Shards.TryChange(changes)) await services.Shards.ChangeAsync(changes);
    }

    /// <summary>Asks for exclusive filters; those that somebody else holds are given up.</summary>
    private async Task ClaimAsync(List<(int At, LocalFilter Local)> claims, SubscribeResult[] results)
    {
        var elsewhere = new List<RouteChange>();
        foreach (var (at, local) in claims)
        {
            var change = new RouteChange(local.Filter, services.Shards.Self, loop.Filters.RouteOf(local));
            bool isGranted;
            try
            {
                isGranted = await services.Shards.ClaimAsync(change);
            }
            catch
            {
                // It is not known whether it was granted: taken back behind the claim, whatever became of it.
                if (own.Contains(local)) GiveUp(local);
                services.Shards.ChangeAsync([change with { Remove = true }]).Ignore();
                throw;
            }

            // A session that has ended meanwhile has taken everything back, behind the claim.
            if (!own.Contains(local)) continue;
            if (isGranted)
            {
                local.IsClaiming = false;
                if (services.Shards.Map.ShardOf(local.Filter) == ShardMap.EveryShard) elsewhere.Add(change);
                continue;
            }

            results[at] = new SubscribeResult(ReasonCode.QuotaExceeded, IsNew: false);
            GiveUp(local);
        }

        if (elsewhere.Count > 0 && !services.Shards.TryChange(elsewhere)) await services.Shards.ChangeAsync(elsewhere);
    }

    /// <summary>An exclusive filter that is not this session's: no shard knows of it, or none is to.</summary>
    private void GiveUp(LocalFilter local)
    {
        local.IsClaiming = false;
        grouped!.Remove(local.Filter.Text);
        Remove(local, []);
    }

    /// <summary>Tells shards in other processes; until they know, other sessions that subscribe to the same filters wait as well.</summary>
    private async Task RegisterAsync(List<RouteChange> changes)
    {
        var running = services.Shards.ChangeAsync(changes);
        var filters = changes.ConvertAll(change => loop.Filters.Find(change.RouteId));
        foreach (var filter in filters) filter!.Registering = running;
        try
        {
            await running;
        }
        finally
        {
            foreach (var filter in filters) filter!.Registering = null;
        }
    }

    /// <returns>True if the subscription is new.</returns>
    private bool Add(in TopicFilter filter, in SubscriptionOptions options, List<RouteChange> changes, out LocalFilter local)
    {
        bool isNewFilter;
        local = filter.IsGrouped ? FindOrAddGrouped(filter, out isNewFilter) : loop.Filters.GetOrAdd(filter, out isNewFilter);
        if (!local.Set(new Subscriber(session, options))) return false; // replaced the subscription [MQTT-3.8.4-3]
        own.Add(local);
        services.Gauges.AddSubscriptions(filter.IsShared, 1);
        if (filter.IsExclusive) local.IsClaiming = true;
        else if (isNewFilter) changes.Add(new RouteChange(local.Filter, services.Shards.Self, loop.Filters.RouteOf(local)));
        return true;
    }

    private LocalFilter FindOrAddGrouped(in TopicFilter filter, out bool isNew)
    {
        grouped ??= [];
        isNew = !grouped.TryGetValue(filter.Text, out var found);
        return isNew ? grouped[filter.Text] = loop.Filters.AddShared(filter) : found!;
    }

    private bool Remove(in TopicFilter filter, List<RouteChange> changes)
    {
        LocalFilter? local;
        if (filter.IsGrouped)
        {
            if (grouped is null || !grouped.Remove(filter.Text, out local)) return false;
        }
        else if (!loop.Filters.TryFind(filter, out local) || !local.Contains(session))
        {
            return false;
        }

        Remove(local, changes);
        return true;
    }

    private void Remove(LocalFilter local, List<RouteChange> changes)
    {
        own.Remove(local);
        services.Gauges.AddSubscriptions(local.Filter.IsShared, -1);
        local.Remove(session);
        if (local.Count > 0) return;
        changes.Add(new RouteChange(local.Filter, services.Shards.Self, loop.Filters.RouteOf(local), Remove: true));
        if (local.Filter.IsShared) local.Heir = services.Router;
        loop.Filters.Remove(local);
    }
}
