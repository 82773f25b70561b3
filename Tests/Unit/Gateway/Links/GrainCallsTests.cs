using Broker.Gateway.Links;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Links;

public class GrainCallsTests
{
    public static TheoryData<Exception> Passing =>
    [
        new SiloUnavailableException("It died."), new TimeoutException(), new ArgumentException("No silo is known."), new OperationCanceledException(), new TaskCanceledException(),
    ];

    [Theory]
    [MemberData(nameof(Passing), DisableDiscoveryEnumeration = true)]
    public async Task CallIsMadeAgain_WhenNobodyCouldAnswer(Exception fault)
    {
        var calls = 0;
        Assert.Equal(2, await GrainCalls.InsistAsync(() => ++calls == 1 ? Task.FromException<int>(fault) : Task.FromResult(calls), TimeProvider.System));
    }

    [Fact]
    public async Task FailureIsPassedOn_WhenTheAnswerIsNo()
    {
        var calls = 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() => GrainCalls.InsistAsync(() => ++calls > 0 ? Task.FromException(new InvalidOperationException()) : Task.CompletedTask, TimeProvider.System));
        Assert.Equal(1, calls);
    }
}
