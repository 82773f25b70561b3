using System.Diagnostics.Metrics;
using Broker.Gateway.Alarms;
using Broker.Gateway.ExHook;
using Broker.Gateway.Security.Sources;
using Broker.Gateway.Security.Sources.Http;
using Broker.Tests.Unit.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Alarms;

public class ResourceAlarmTests
{
    [Fact]
    public async Task SourceIsAnAlarm_UntilItAnswersAgain()
    {
        var meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
        var options = new HttpOptions { BreakAfter = 2, BreakTime = TimeSpan.FromMilliseconds(500) };
        var guard = new SourceGuard("http", options, new SourceInstruments(meters), TimeProvider.System, new LogRecord<SourceGuard>());
        var alarms = Options.Create(new AlarmOptions());
        var book = new AlarmBook(alarms, TimeProvider.System);
        var servers = new ExHookServers(Options.Create(new ExHookOptions()), null!, null!, null!, null!, null!, TimeProvider.System, new LogRecord<ExHookServer>());
        var check = new ResourceCheck(book, () => [(guard.Name, guard.IsDown)], servers, alarms);
        await check.LookAsync();
        Assert.Empty(book.Active);
        for (var i = 0; i < 2; i++) await Assert.ThrowsAsync<SourceUnavailableException>(() => guard.AskAsync<int>(_ => throw new IOException("gone")));
        await check.LookAsync();
        var alarm = Assert.Single(book.Active);
        Assert.Equal(("resource/security/http/down", "Resource security(http) is down", """{"id":"http","type":"security"}"""), (alarm.Name, alarm.Message, alarm.Details.ToJsonString()));

        await Protocol.Harness.Wait.UntilAsync(async () =>
        {
            try
            {
                return await guard.AskAsync(_ => Task.FromResult(true));
            }
            catch (SourceUnavailableException)
            {
                return false; // the time to wait is not over
            }
        }, "the source is asked again");
        await check.LookAsync();
        Assert.Empty(book.Active);
        Assert.Single(book.History);
    }
}
