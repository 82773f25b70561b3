using Broker.Gateway.Hosting;
using Broker.Gateway.Security.Guard;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Unit.Grains.Storage;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Security.Guard;

public class ConnectAdmissionTests
{
    private readonly ManualClock clock = new();

    [Theory]
    [InlineData(true, 16)]
    [InlineData(false, 12)]
    public void LastQuarterIsForThoseThatResume_WhenManyArePending(bool resumes, int most)
    {
        var admission = Make(new GatewayOptions { MaxPendingConnects = 16 });
        for (var i = 0; i < most; i++)
        {
            Assert.Equal(ReasonCode.Success, admission.Admit(resumes));
            _ = admission.WaitAsync(new ValueTask<int>(new TaskCompletionSource<int>().Task)).AsTask();
        }

        Assert.Equal(ReasonCode.ServerBusy, admission.Admit(resumes));
        Assert.Equal(most < 16 ? ReasonCode.Success : ReasonCode.ServerBusy, admission.Admit(true));
    }

    [Fact]
    public async Task PlaceIsFree_WhenAnAuthenticationHasEndedOrFailed()
    {
        var admission = Make(new GatewayOptions());
        var (good, bad) = (new TaskCompletionSource<int>(), new TaskCompletionSource<int>());
        var tasks = new[] { good, bad }.Select(one => admission.WaitAsync(new ValueTask<int>(one.Task)).AsTask()).ToArray();
        Assert.Equal(2, admission.Pending);
        good.SetResult(7);
        Assert.Equal(7, await tasks[0]);
        bad.SetException(new InvalidOperationException());
        await Assert.ThrowsAsync<InvalidOperationException>(() => tasks[1]);
        Assert.Equal(0, admission.Pending);
        Assert.Equal(1, await admission.WaitAsync(new ValueTask<int>(1)));
        Assert.Equal(0, admission.Pending);
    }

    [Fact]
    public async Task BoundIsAQuarter_WhileNothingIsAnswered()
    {
        var admission = Make(new GatewayOptions { MaxPendingConnects = 64, MaxConnectWait = TimeSpan.FromSeconds(10) });
        var waiting = Enumerable.Range(0, 16).Select(_ => new TaskCompletionSource<int>()).ToArray();
        clock.Advance(TimeSpan.FromMinutes(1)); // in quiet: that is no standstill
        var tasks = waiting.Select(one => admission.WaitAsync(new ValueTask<int>(one.Task)).AsTask()).ToArray();
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(ReasonCode.Success, admission.Admit(false));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(ReasonCode.ServerBusy, admission.Admit(false));
        Assert.Equal(ReasonCode.ServerBusy, admission.Admit(true));
        waiting[0].SetResult(0);
        await tasks[0];
        Assert.Equal(ReasonCode.Success, admission.Admit(false));
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(ReasonCode.ServerBusy, admission.Admit(false));
        Assert.Equal(ReasonCode.Success, admission.Admit(true));
    }

    [Fact]
    public void LastQuarterOfTheRateIsForThoseThatResume()
    {
        var admission = Make(new GatewayOptions { MaxConnectRate = 8 });
        Assert.Equal(6, Enumerable.Range(0, 10).Count(_ => admission.Admit(false) == ReasonCode.Success));
        Assert.Equal(ReasonCode.ConnectionRateExceeded, admission.Admit(false));
        Assert.Equal(2, Enumerable.Range(0, 10).Count(_ => admission.Admit(true) == ReasonCode.Success));
        clock.Advance(TimeSpan.FromMilliseconds(250));
        Assert.Equal(0, Enumerable.Range(0, 10).Count(_ => admission.Admit(false) == ReasonCode.Success));
        clock.Advance(TimeSpan.FromMilliseconds(125));
        Assert.Equal(1, Enumerable.Range(0, 10).Count(_ => admission.Admit(false) == ReasonCode.Success));
    }

    private ConnectAdmission Make(GatewayOptions options) => new(Fixed.Options(options), clock);
}
