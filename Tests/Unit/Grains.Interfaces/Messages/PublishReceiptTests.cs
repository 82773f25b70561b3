using Broker.Grains.Interfaces.Messages;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Messages;

public class PublishReceiptTests
{
    [Fact]
    public void CompletesOnceAfterTheLastAnswer_WhenPartsAreAwaited()
    {
        var receipt = new CountingReceipt();
        receipt.Expect();
        receipt.Expect();
        receipt.Answer(ReasonCode.Success);
        receipt.Answer(ReasonCode.Success);
        Assert.Equal(0, receipt.Completions);
        receipt.Answer(ReasonCode.Success);
        Assert.Equal((1, ReasonCode.Success), (receipt.Completions, receipt.Code));
    }

    [Fact]
    public void FirstFailureIsTheOutcome_WhenSeveralFail()
    {
        var receipt = new CountingReceipt();
        receipt.Expect();
        receipt.Expect();
        receipt.Expect();
        receipt.Answer(ReasonCode.NoMatchingSubscribers);
        receipt.Answer(ReasonCode.QuotaExceeded);
        receipt.Answer(ReasonCode.ServerBusy);
        receipt.Answer(ReasonCode.Success);
        Assert.Equal(ReasonCode.QuotaExceeded, receipt.Code);
    }

    [Fact]
    public async Task CompletesExactlyOnce_WhenManyThreadsAnswer()
    {
        for (var round = 0; round < 100; round++)
        {
            var receipt = new CountingReceipt();
            using var start = new Barrier(4);
            var answering = Enumerable.Range(0, 3).Select(thread => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    for (var i = 0; i < 10; i++)
                    {
                        receipt.Expect();
                        receipt.Answer(thread == 1 && i == 5 ? ReasonCode.ServerBusy : ReasonCode.Success);
                    }
                },
                TaskCreationOptions.LongRunning)).ToArray();
            start.SignalAndWait();
            await Task.WhenAll(answering).WaitAsync(TimeSpan.FromSeconds(20));
            Assert.Equal(0, receipt.Completions);
            receipt.Answer(ReasonCode.Success);
            Assert.Equal((1, ReasonCode.ServerBusy), (receipt.Completions, receipt.Code));
        }
    }

    [Fact]
    public async Task TaskEnds_WhenATaskReceiptCompletes()
    {
        var receipt = new TaskReceipt();
        receipt.Expect();
        receipt.Answer(ReasonCode.Success);
        Assert.False(receipt.Completion.IsCompleted);
        receipt.Answer(ReasonCode.QuotaExceeded);
        Assert.Equal(ReasonCode.QuotaExceeded, await receipt.Completion.WaitAsync(TimeSpan.FromSeconds(20)));
    }

    private sealed class CountingReceipt : PublishReceipt
    {
        private int completions;

        public int Completions => Volatile.Read(ref completions);

        public ReasonCode Code { get; private set; }

        protected override void OnComplete(ReasonCode code)
        {
            Code = code;
            Interlocked.Increment(ref completions);
        }
    }
}
