using System.Text.Json.Nodes;
using Broker.Grains.Interfaces.Metrics;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Alarms;

/// <summary>The alarms of this process: what is wrong, and what was. Thread-safe.</summary>
/// <remarks>Whoever notices that something is wrong says so here, as often as it likes, and says when it is right again. Both are bounded; what is too much is counted.</remarks>
internal sealed class AlarmBook(IOptions<AlarmOptions> options, TimeProvider time)
{
    private readonly AlarmOptions options = options.Value;
    private readonly Lock gate = new();
    private readonly Dictionary<string, Alarm> active = new(StringComparer.Ordinal);

    /// <summary>The oldest first.</summary>
    private readonly Queue<Alarm> history = new();

    /// <summary>An alarm has become active, or is over. Called one after the other, under the book's lock: must be short.</summary>
    public event Action<Alarm>? Changed;

    /// <summary>Something else has changed that is worth keeping.</summary>
    public event Action? Forgotten;

    /// <summary>Now, in Unix microseconds.</summary>
    public long NowUs => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>What is wrong now, the oldest first.</summary>
    public Alarm[] Active
    {
        get
        {
            lock (gate) return [.. active.Values.OrderBy(alarm => alarm.ActivatedAt)];
        }
    }

    /// <summary>What was wrong, the newest first.</summary>
    public Alarm[] History
    {
        get
        {
            lock (gate)
            {
                Trim();
                return [.. history.Reverse()];
            }
        }
    }

    /// <summary>Something is wrong. If that is known already nothing happens.</summary>
    /// <returns>Whether it was new.</returns>
    public bool Activate(string name, string message, JsonObject? details = null)
    {
        lock (gate)
        {
            if (active.ContainsKey(name)) return false;
            if (active.Count >= options.MaxActive)
            {
                BrokerCounters.Add(Metric.AlarmsRefused);
                return false;
            }

            var alarm = new Alarm(name, message, details ?? [], NowUs);
            active[name] = alarm;
            Changed?.Invoke(alarm);
            return true;
        }
    }

    /// <summary>It is right again, or an operator says so.</summary>
    /// <returns>Whether there was such an alarm.</returns>
    public bool Deactivate(string name)
    {
        lock (gate)
        {
            if (!active.Remove(name, out var alarm)) return false;
            var ended = alarm with { DeactivatedAt = NowUs };
            history.Enqueue(ended);
            Trim();
            Changed?.Invoke(ended);
            return true;
        }
    }

    /// <summary>Activates or deactivates.</summary>
    public void Set(string name, bool isWrong, string message, Func<JsonObject> details)
    {
        if (!isWrong) Deactivate(name);
        else if (!IsActive(name)) Activate(name, message, details());
    }

    /// <summary>Whether there is an active alarm of a name.</summary>
    public bool IsActive(string name)
    {
        lock (gate) return active.ContainsKey(name);
    }

    /// <summary>Forgets what was wrong.</summary>
    /// <returns>How many there were.</returns>
    public int ForgetHistory()
    {
        lock (gate)
        {
            var count = history.Count;
            history.Clear();
            Forgotten?.Invoke();
            return count;
        }
    }

    /// <summary>Takes over what an earlier process has left: what was wrong then is over.</summary>
    public void Restore(AlarmRecord record)
    {
        lock (gate)
        {
            foreach (var alarm in record.History.Concat(record.Active.Select(alarm => alarm with { DeactivatedAt = NowUs }))) history.Enqueue(alarm);
            Trim();
        }
    }

    /// <summary>What is to outlive the process.</summary>
    public AlarmRecord Snapshot()
    {
        lock (gate)
        {
            Trim();
            return new AlarmRecord([.. active.Values], [.. history]);
        }
    }

    private void Trim()
    {
        var oldest = NowUs - (long)options.Validity.TotalMicroseconds;
        while (history.TryPeek(out var first) && (history.Count > options.HistorySize || first.DeactivatedAt < oldest)) history.Dequeue();
    }
}
