using Broker.Grains.Interfaces.Records;
using Broker.Grains.Records;
using Xunit;
using Record = Broker.Grains.Interfaces.Records.Record;

namespace Broker.Tests.Unit.Grains.Records;

public class RecordLogTests
{
    private readonly RecordLog log = new(mostRemoved: 4);

    [Fact]
    public void OneIsDone_OfThoseWhoHaveReadTheSame()
    {
        Change(("a", 1));
        log.Plan(
            [
                new("t", "a", [2], RecordCondition.IfUnchanged, Version: 1), new("t", "a", [3], RecordCondition.IfUnchanged, Version: 1), new("t", "b", [4], RecordCondition.IfUnchanged, Version: 1),
                new("t", "b", [5], RecordCondition.IfUnchanged),
            ],
            out var outcomes);
        Assert.Equal([RecordOutcome.Done, RecordOutcome.Changed, RecordOutcome.Changed, RecordOutcome.Done], outcomes);
        Change(("a", 2));
        log.Plan([new("t", "a", [3], RecordCondition.IfUnchanged, Version: 1)], out outcomes);
        Assert.Equal([RecordOutcome.Changed], outcomes);
    }

    [Fact]
    public void ConditionsAreDecidedInOrder()
    {
        Change(("a", 1));
        var records = log.Plan(
            [
                new("t", "a", [2], RecordCondition.IfAbsent), new("t", "b", [3], RecordCondition.IfPresent), new("t", "b", [4], RecordCondition.IfAbsent),
                new("t", "b", [5], RecordCondition.IfAbsent), new("t", "b", [6], RecordCondition.IfPresent), new("t", "a", null, RecordCondition.IfPresent),
                new("t", "a", null, RecordCondition.IfPresent), new("t", "z", null),
            ],
            out var outcomes);
        Assert.Equal(
            [
                RecordOutcome.Exists, RecordOutcome.Missing, RecordOutcome.Done, RecordOutcome.Exists, RecordOutcome.Done, RecordOutcome.Done, RecordOutcome.Missing,
                RecordOutcome.Done,
            ],
            outcomes);
        Assert.Equal([("b", 6), ("a", -1)], records.Select(record => (record.Key, (int?)record.Value?[0] ?? -1)));
        Assert.Equal([2, 3], records.Select(record => record.Version));
        Assert.Equal(1, log.Last);
    }

    [Fact]
    public void FollowerHasWhatIsThere_WhateverItMissed()
    {
        var random = new Random(7);
        var copy = new Copy();
        for (var round = 0; round < 3_000; round++)
        {
            Change(($"{random.Next(40)}", random.Next(3) == 0 ? null : random.Next(256)));
            log.ForgetRemoved();
            if (random.Next(10) == 0) copy.TakePage(log, limit: 1 + random.Next(8));
            if (random.Next(50) != 0) continue;
            while (!copy.TakePage(log, limit: 7)) { }
            Assert.Equal(Current(), copy.Values.OrderBy(pair => pair.Key, StringComparer.Ordinal));
        }
    }

    [Fact]
    public void FollowerHasWhatIsThere_WhenTheOwnerIsAnotherOne()
    {
        var random = new Random(8);
        var copy = new Copy();
        var stored = new SortedDictionary<long, Record>();
        var owner = log;
        for (var round = 0; round < 2_000; round++)
        {
            foreach (var record in owner.Plan([new("t", $"{random.Next(30)}", random.Next(3) == 0 ? null : [(byte)round])], out _))
            {
                owner.Apply(record);
                foreach (var old in stored.Values.Where(old => old.Key == record.Key).ToArray()) stored.Remove(old.Version);
                stored.Add(record.Version, record);
            }

            if (owner.ForgetRemoved() is { } upTo)
            {
                foreach (var old in stored.Values.Where(old => old.Value is null && old.Version <= upTo).ToArray()) stored.Remove(old.Version);
            }

            if (random.Next(20) == 0) copy.TakePage(owner, limit: 5);
            if (random.Next(100) == 0)
            {
                owner = new RecordLog(mostRemoved: 4);
                foreach (var record in stored.Values) owner.Restore(record);
            }

            if (random.Next(50) != 0) continue;
            while (!copy.TakePage(owner, limit: 5)) { }
            Assert.Equal(
                stored.Values.Where(record => record.Value is not null).Select(record => record.Key).Order(StringComparer.Ordinal), copy.Values.Keys.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void PositionOfAnotherTimeRestarts()
    {
        Change(("a", 1));
        var page = log.After(new RecordPosition(9, 9, true), 10);
        Assert.True(page.IsRestart);
        Assert.Equal(["a"], page.Records.Select(record => record.Key));
    }

    [Fact]
    public void ExpiredAreRemovedWhenTheirTimeHasCome()
    {
        foreach (var record in log.Plan([new("t", "soon", [1], ExpiresAt: 50), new("t", "late", [1], ExpiresAt: 90), new("t", "never", [1])], out _)) log.Apply(record);
        Assert.Equal(50, log.SoonestExpiry);
        Assert.Equal(["soon"], log.Expired(50, 10).Select(change => change.Key));
        Assert.Equal(90, log.SoonestExpiry);
    }

    private void Change(params ReadOnlySpan<(string Key, int? Value)> changes)
    {
        foreach (var (key, value) in changes)
        {
            foreach (var record in log.Plan([new("t", key, value is { } one ? [(byte)one] : null)], out _)) log.Apply(record);
        }
    }

    private IOrderedEnumerable<KeyValuePair<string, byte>> Current()
    {
        var fresh = new Copy();
        while (!fresh.TakePage(log, limit: 1_000)) { }
        Assert.Equal(log.Count, fresh.Values.Count);
        return fresh.Values.OrderBy(pair => pair.Key, StringComparer.Ordinal);
    }

    /// <summary>What a follower does with pages, said again.</summary>
    private sealed class Copy
    {
        private RecordPosition position;
        private HashSet<string>? named = [];

        public Dictionary<string, byte> Values { get; } = [];

        public bool TakePage(RecordLog log, int limit)
        {
            var page = log.After(position, limit);
            if (page.IsRestart || !position.HasBegun) named = [];
            foreach (var record in page.Records)
            {
                named?.Add(record.Key);
                if (record.Value is null) Values.Remove(record.Key);
                else Values[record.Key] = record.Value[0];
            }

            position = page.Next;
            if (page.IsLast && named is not null)
            {
                foreach (var key in Values.Keys.Except(named).ToArray()) Values.Remove(key);
                named = null;
            }

            return page.IsLast;
        }
    }
}
