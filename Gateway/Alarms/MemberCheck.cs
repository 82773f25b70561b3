using System.Text.Json.Nodes;
using Broker.Gateway.Admin;
using Broker.Grains.Interfaces.Nodes;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Alarms;

/// <summary>Notices nodes that have died without taking leave (`node_down/NODE`), and nodes that are members and do not answer (`partition`).</summary>
/// <remarks>The first is over when a node of that name is back, or is given up after a while; the second when all answer or have been declared dead.</remarks>
internal sealed class MemberCheck(
    AlarmBook book, ClusterNodes nodes, NodeIdentity self, IClusterMembershipService membership, ISiloStatusOracle silos, IOptions<AlarmOptions> options, TimeProvider time) : IAlarmCheck, ISiloStatusListener
{
    private const string Partition = "partition";
    private readonly Lock gate = new();

    /// <summary>Nodes that have said that they stop.</summary>
    private readonly HashSet<SiloAddress> leaving = [];
    private readonly Dictionary<string, long> down = new(StringComparer.Ordinal);
    private string[] silent = [];
    private bool isListening;

    public TimeSpan Period => options.Value.CheckInterval;

    public void SiloStatusChangeNotification(SiloAddress updatedSilo, SiloStatus status)
    {
        lock (gate)
        {
            if (status is SiloStatus.ShuttingDown or SiloStatus.Stopping) leaving.Add(updatedSilo);
            if (status != SiloStatus.Dead || leaving.Remove(updatedSilo)) return;
        }

        if (!membership.CurrentSnapshot.Members.TryGetValue(updatedSilo, out var member)) return;
        lock (gate) down[member.Name] = time.GetTimestamp();
        book.Activate($"node_down/{member.Name}", $"Node {member.Name} is down", new JsonObject { ["node"] = member.Name });
    }

    public async Task LookAsync()
    {
        if (!isListening) silos.SubscribeToSiloStatusEvents(this);
        isListening = true;
        Forgive();
        var isAlone = membership.CurrentSnapshot.Members.Values.Count(member => member.Status == SiloStatus.Active) < 2;
        string[] unavailable = isAlone ? [] : (await nodes.ReadAllAsync(new NodeQuery(NodeResources.Brokers, []))).Unavailable;
        // A node that was busy once is not cut off, and none is from itself.
        string[] lost = [.. unavailable.Intersect(silent).Where(name => name != self.Name)];
        silent = unavailable;
        book.Set(Partition, lost.Length > 0, $"Partition occurs at node {string.Join(", ", lost)}", () => new JsonObject { ["occurred"] = string.Join(", ", lost) });
    }

    private void Forgive()
    {
        var running = membership.CurrentSnapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.Name).ToHashSet(StringComparer.Ordinal);
        string[] over;
        lock (gate)
        {
            over = [.. down.Where(one => running.Contains(one.Key) || time.GetElapsedTime(one.Value) >= options.Value.NodeDownValidity).Select(one => one.Key)];
            foreach (var name in over) down.Remove(name);
        }

        foreach (var name in over) book.Deactivate($"node_down/{name}");
    }
}
