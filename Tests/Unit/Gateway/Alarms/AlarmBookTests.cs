using System.Text.Json.Nodes;
using Broker.Gateway.Alarms;
using Broker.Grains.Interfaces.Configuration;
using Broker.Grains.Interfaces.Nodes;
using Broker.Tests.Unit.Grains.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Alarms;

public class AlarmBookTests
{
    private readonly ManualClock clock = new();

    [Fact]
    public void AlarmIsRaisedOnce_UntilItIsOver()
    {
        var book = Make();
        List<(string Name, bool IsActive)> seen = [];
        book.Changed += alarm => seen.Add((alarm.Name, alarm.DeactivatedAt is null));
        Assert.True(book.Activate("a", "first", new JsonObject { ["usage"] = 81 }));
        clock.Advance(TimeSpan.FromSeconds(2));
        Assert.False(book.Activate("a", "second"));
        var active = Assert.Single(book.Active);
        Assert.Equal(("a", "first", """{"usage":81}""", null), (active.Name, active.Message, active.Details.ToJsonString(), active.DeactivatedAt));
        Assert.Empty(book.History);

        Assert.True(book.Deactivate("a"));
        Assert.False(book.Deactivate("a"));
        Assert.Empty(book.Active);
        var over = Assert.Single(book.History);
        Assert.Equal(2_000_000, over.DeactivatedAt - over.ActivatedAt);
        Assert.Equal(clock.GetUtcNow(), DateTimeOffset.UnixEpoch.AddTicks(over.DeactivatedAt!.Value * 10));
        Assert.True(book.Activate("a", "third"));
        Assert.Equal([("a", true), ("a", false), ("a", true)], seen);
    }

    [Fact]
    public void HistoryIsBounded_ByNumberAndAge()
    {
        var book = Make(size: 3, validity: TimeSpan.FromHours(1));
        for (var i = 0; i < 5; i++)
        {
            book.Activate($"{i}", "");
            book.Deactivate($"{i}");
            clock.Advance(TimeSpan.FromMinutes(20));
        }

        Assert.Equal(["4", "3", "2"], book.History.Select(alarm => alarm.Name));
        clock.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(["4"], book.History.Select(alarm => alarm.Name));
        Assert.Equal(1, book.ForgetHistory());
        Assert.Empty(book.History);
    }

    [Fact]
    public void ActiveOnesAreBounded()
    {
        var book = Make();
        for (var i = 0; i < 15; i++) book.Activate($"{i}", "");
        Assert.Equal(10, book.Active.Length);
        Assert.False(book.Activate("late", ""));
        book.Deactivate("3");
        Assert.True(book.Activate("late", ""));
    }

    [Fact]
    public async Task ActiveOnesAreHistory_AfterARestart()
    {
        var folder = new DataFolder(Path.Combine(TestStore.NewFolder(), "not", "there"));
        var before = Make();
        var file = await OpenAsync(before, folder);
        before.Activate("over", "o");
        before.Deactivate("over");
        before.Activate("open", "p", new JsonObject { ["id"] = "x" });
        await file.StopAsync(CancellationToken.None);

        clock.Advance(TimeSpan.FromMinutes(1));
        var after = Make();
        var log = new LogRecord<AlarmFile>();
        var again = await OpenAsync(after, folder, log);
        Assert.Empty(after.Active);
        Assert.Equal([("open", "p", """{"id":"x"}"""), ("over", "o", "{}")], after.History.Select(alarm => (alarm.Name, alarm.Message, alarm.Details.ToJsonString())));
        Assert.Equal(60_000_000, after.History[0].DeactivatedAt - after.History[0].ActivatedAt);
        await again.StopAsync(CancellationToken.None);
        Assert.Empty(log.Lines);

        // Another node in the same folder has its own.
        var other = Make();
        await OpenAsync(other, folder, name: "other@host/2");
        Assert.Empty(other.History);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"Active\":[{")]
    [InlineData("{}")]
    [InlineData("null")]
    public async Task BrokerStarts_WhenTheFileIsDamaged(string content)
    {
        var folder = new DataFolder(TestStore.NewFolder());
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "alarms-node@host.json"), content);
        var book = Make();
        var file = await OpenAsync(book, folder);
        Assert.Empty(book.History);
        book.Activate("a", "");
        await file.StopAsync(CancellationToken.None);
        var after = Make();
        await OpenAsync(after, folder);
        Assert.Single(after.History);
    }

    [Fact]
    public async Task OneWarningIsLogged_WhenTheFileCannotBeWritten()
    {
        var place = Path.Combine(TestStore.NewFolder(), "file");
        await File.WriteAllTextAsync(place, "a file where the folder should be");
        var (book, log) = (Make(), new LogRecord<AlarmFile>());
        var file = await OpenAsync(book, new DataFolder(place), log);
        book.Activate("a", "");
        await file.StopAsync(CancellationToken.None);
        book.Deactivate("a");
        await file.StopAsync(CancellationToken.None);
        Assert.Equal(LogLevel.Warning, Assert.Single(log.Lines).Level);
        Assert.Single(book.History);
    }

    [Theory]
    [InlineData(80, 60, "50 81 70 80 59.9 70", "0 1 1 1 0 0")]
    [InlineData(70, 70, "70 71 70 71", "0 1 0 1")]
    [InlineData(50, 90, "51 50 95", "1 0 1")] // a low mark above the high one is none
    public async Task WatermarksDecide(double high, double low, string readings, string states)
    {
        var book = Make();
        var reading = 0.0;
        var check = new WatermarkCheck(book, TimeSpan.FromSeconds(1), new Watermark("usage", high, low, usage => $"{usage}%"), () => reading);
        var seen = new List<string>();
        foreach (var text in readings.Split(' '))
        {
            reading = double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
            await check.LookAsync();
            seen.Add(book.IsActive("usage") ? "1" : "0");
        }

        Assert.Equal(states, string.Join(' ', seen));
        var alarm = book.Active.Concat(book.History).Last();
        Assert.Equal(high, alarm.Details["high_watermark"]!.GetValue<double>());
        Assert.Equal(low < high, alarm.Details.ContainsKey("low_watermark"));
    }

    private AlarmBook Make(int size = 1000, TimeSpan? validity = null) =>
        new(Options.Create(new AlarmOptions { HistorySize = size, Validity = validity ?? TimeSpan.FromHours(24), MaxActive = 10 }), clock);

    private static async Task<AlarmFile> OpenAsync(AlarmBook book, DataFolder folder, LogRecord<AlarmFile>? log = null, string name = "node@host")
    {
        var file = new AlarmFile(book, folder, new NodeIdentity(name), log ?? new LogRecord<AlarmFile>());
        await file.StartAsync(CancellationToken.None);
        return file;
    }
}
