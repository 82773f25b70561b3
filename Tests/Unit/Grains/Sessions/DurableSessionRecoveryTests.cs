using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Sessions;
using Broker.Grains.Storage;
using Broker.Grains.Storage.Writes;
using Xunit;

namespace Broker.Tests.Unit.Grains.Sessions;

/// <summary>What a restart, another activation or a store that lags leaves of a session.</summary>
public class DurableSessionRecoveryTests
{
    private const ReasonCode Success = ReasonCode.Success;

    [Fact]
    [Clause("MQTT-4.4.0-1")]
    [Clause("MQTT-3.3.1-1")]
    public async Task ResentInOrderUnderTheSameIdentifiers_WhenTheStoreIsOpenedAgain()
    {
        var limits = new SessionLimits { MaxInflight = 4 };
        await using var test = await SessionFixture.OpenAsync(limits: limits);
        test.Session.Attach(test.Pipe);
        await Task.WhenAll(Enumerable.Range(1, 6).Select(i => test.Send($"{i}", i % 2 == 0 ? Qos.ExactlyOnce : Qos.AtLeastOnce)));
        test.Session.Acknowledge(1);
        await using var again = await test.ReopenAsync(limits);
        again.Session.Attach(again.Pipe);
        Assert.Equal(["PUBLISH 2 2 dup", "PUBLISH 3 3 dup", "PUBLISH 4 4 dup", "PUBLISH 5 5 dup"], again.Pipe.Sent);
        Assert.Equal([9], SubscriptionIdentifiers.AsSpan(again.Pipe.Deliveries[0].Identifiers).ToArray());
        again.Session.Acknowledge(3);
        Assert.Equal(Success, await again.Send("7", Qos.AtLeastOnce));
        again.Session.Acknowledge(5);
        Assert.Equal(["PUBLISH 6 6 dup", "PUBLISH 7 7"], again.Pipe.Sent[4..]);
    }

    [Fact]
    [Clause("MQTT-3.3.1-1")]
    public async Task OnlyWhatMayHaveBeenSentIsMarkedSo_WhenTheClientLeftBeforeTheStoreIsOpenedAgain()
    {
        var limits = new SessionLimits { MaxInflight = 2 };
        await using var test = await SessionFixture.OpenAsync(limits: limits);
        test.Session.Attach(test.Pipe);
        await Task.WhenAll(test.Send("1", Qos.AtLeastOnce), test.Send("2", Qos.ExactlyOnce), test.Send("3", Qos.ExactlyOnce));
        test.Session.Detach(test.Pipe);
        await Leave(test);
        await test.Send("4", Qos.AtLeastOnce);
        limits = new SessionLimits();
        await using var again = await test.ReopenAsync(limits);
        again.Session.Attach(again.Pipe);
        Assert.Equal(["PUBLISH 1 1 dup", "PUBLISH 2 2 dup", "PUBLISH 3 3", "PUBLISH 4 4"], again.Pipe.Sent);
        for (ushort identifier = 1; identifier <= 4; identifier++) again.Session.Forget(identifier);
        await Leave(again);
        // Nothing is left, so sequence numbers begin anew: none of these was sent.
        await using var last = await again.ReopenAsync(limits);
        await last.Send("5", Qos.AtLeastOnce);
        last.Session.Attach(last.Pipe);
        Assert.Equal(["PUBLISH 1 5"], last.Pipe.Sent);

        static async Task Leave(SessionFixture left) => Assert.True(await left.Test.Store.WriteAsync(new SaveSession(
            left.Session.Lease, new SessionHeader { ClientId = "c", Partition = 0, SentUpTo = left.Session.SentUpTo })));
    }

    [Fact]
    [Clause("MQTT-4.3.3-6")]
    public async Task PubrelIsSentAgainAndPublishIsNot_WhenPubrecWasStored()
    {
        await using var test = await SessionFixture.OpenAsync();
        test.Session.Attach(test.Pipe);
        await Task.WhenAll(test.Send("1", Qos.ExactlyOnce), test.Send("2", Qos.ExactlyOnce), test.Send("3", Qos.ExactlyOnce));
        Assert.True(test.Session.Receive(2, Success));
        Assert.True(test.Session.Receive(3, ReasonCode.QuotaExceeded)); // the client refuses it: done [MQTT-4.3.3-4]
        await test.FlushAsync();
        Assert.Equal("PUBREL 2", test.Pipe.Sent[^1]);
        await using var again = await test.ReopenAsync();
        again.Session.Attach(again.Pipe);
        Assert.Equal(["PUBREL 2", "PUBLISH 1 1 dup"], again.Pipe.Sent);
        Assert.True(again.Session.Complete(2));
        Assert.False(again.Session.Complete(2));
        await again.FlushAsync();
        Assert.Equal(1, again.Test.Count("queue"));
    }

    [Fact]
    public async Task PubrelWaitsForTheStore_WhenTheClientReconnectsOrRepeatsPubrecMeanwhile()
    {
        await using var test = await SessionFixture.OpenAsync();
        test.Session.Attach(test.Pipe);
        await test.Send("1", Qos.ExactlyOnce);
        var hold = await test.Test.HoldAsync();
        Assert.True(test.Session.Receive(1, Success));
        var second = new RecordingPipe();
        test.Session.Attach(second);
        Assert.True(test.Session.Receive(1, Success));
        Assert.Empty(second.Sent);
        hold.Release();
        await test.FlushAsync();
        Assert.Equal(["PUBREL 1"], second.Sent);
        Assert.Equal(["PUBLISH 1 1"], test.Pipe.Sent);
    }

    [Fact]
    [Clause("MQTT-4.3.3-10")]
    public async Task ReceiptsSurvive_WhenTheStoreIsOpenedAgain()
    {
        await using var test = await SessionFixture.OpenAsync();
        Assert.Equal(Success, await test.Receive(7, ReceiveOutcome.New));
        Assert.Equal(Success, await test.Receive(8, ReceiveOutcome.New));
        Assert.Equal(Success, await test.Release(8));
        await using var again = await test.ReopenAsync();
        Assert.Equal(Success, await again.Receive(7, ReceiveOutcome.Repeated));
        Assert.Equal(Success, await again.Receive(8, ReceiveOutcome.New));
        Assert.False(again.Session.Release(9, new TaskReceipt()));
        Assert.Equal(2, again.Test.Count("receipt"));
    }

    [Fact]
    public async Task ReceiptIsFreedInTheStoreToo_WhenPubrelDidNotComeInTime()
    {
        await using var test = await SessionFixture.OpenAsync(limits: new SessionLimits { AwaitReleaseTimeoutMs = 0, MaxAwaitingRelease = 1 });
        await test.Receive(7, ReceiveOutcome.New);
        Assert.Equal(ReceiveOutcome.Full, test.Session.TryReceive(8, new TaskReceipt(), out _));
        test.Session.Retry(TimeSpan.Zero);
        await test.FlushAsync();
        Assert.Equal(0, test.Test.Count("receipt"));
    }

    [Fact]
    public async Task NothingIsSubmittedBeforeTheEnd_WhenWritesAreAtomic()
    {
        await using var test = await SessionFixture.OpenAsync();
        Task<ReasonCode> received, sent;
        using (test.Session.BeginAtomicWrites())
        {
            received = test.Receive(7, ReceiveOutcome.New);
            sent = test.Send("x", Qos.ExactlyOnce);
            Assert.False(received.IsCompleted);
            Assert.Equal((0, 0), (test.Test.Count("receipt"), test.Test.Count("queue")));
        }

        Assert.Equal([Success, Success], await Task.WhenAll(received, sent));
        Assert.Equal((1, 1), (test.Test.Count("receipt"), test.Test.Count("queue")));
    }

    [Fact]
    public async Task AllFailAndOnlyTheLostSessionEnds_WhenAnAtomicGroupMeetsAFence()
    {
        await using var test = await SessionFixture.OpenAsync();
        test.Session.Attach(test.Pipe);
        var other = SessionFixture.Make("other", await test.Test.OpenSessionAsync("other"), test.Test);
        var lost = new RecordingPipe();
        other.Attach(lost);
        await test.Test.OpenSessionAsync("other");
        Task<ReasonCode>[] answers;
        using (test.Session.BeginAtomicWrites())
        {
            answers = [test.Receive(7, ReceiveOutcome.New), test.Send("x", Qos.ExactlyOnce), SessionFixture.Send(other, "x", Qos.ExactlyOnce)];
        }

        Assert.All(await Task.WhenAll(answers), code => Assert.Equal(ReasonCode.QuotaExceeded, code));
        Assert.Equal((0, 0), (test.Test.Count("receipt"), test.Test.Count("queue")));
        Assert.Equal(["close 8E"], lost.Sent);
        Assert.Empty(test.Pipe.Sent);
        Assert.Equal(Success, await test.Receive(7, ReceiveOutcome.New)); // it may come again
        Assert.Equal(Success, await test.Send("y", Qos.ExactlyOnce));
        Assert.Equal(["PUBLISH 2 y"], test.Pipe.Sent);
    }

    [Fact]
    [Clause("MQTT-4.3.3-10")]
    public async Task RepetitionIsRefusedToo_WhenTheMessageIsRefusedAfterItHasCome()
    {
        await using var test = await SessionFixture.OpenAsync();
        var other = SessionFixture.Make("other", await test.Test.OpenSessionAsync("other"), test.Test);
        await test.Test.OpenSessionAsync("other");
        var hold = await test.Test.HoldAsync();
        Task<ReasonCode>[] answers;
        using (test.Session.BeginAtomicWrites())
        {
            answers = [test.Receive(7, ReceiveOutcome.New), SessionFixture.Send(other, "x", Qos.ExactlyOnce)];
        }

        var repetition = test.Receive(7, ReceiveOutcome.Repeated);
        hold.Release();
        Assert.All(await Task.WhenAll([.. answers, repetition]), code => Assert.Equal(ReasonCode.QuotaExceeded, code));
        await test.FlushAsync();
        Assert.Equal(0, test.Test.Count("receipt"));
        Assert.Equal(Success, await test.Receive(7, ReceiveOutcome.New));
    }

    [Theory]
    [InlineData("append")]
    [InlineData("receipt")]
    [InlineData("PUBREC")]
    public async Task ClosesItsPipe_WhenAnotherActivationOwnsTheSession(string write)
    {
        await using var test = await SessionFixture.OpenAsync();
        var fenced = 0;
        test.Session.Fenced += () => fenced++;
        test.Session.Attach(test.Pipe);
        await test.Send("1", Qos.ExactlyOnce);
        await test.Test.OpenSessionAsync("c");
        if (write == "append") Assert.Equal(ReasonCode.QuotaExceeded, await test.Send("2", Qos.ExactlyOnce));
        else if (write == "receipt") Assert.Equal(ReasonCode.QuotaExceeded, await test.Receive(7, ReceiveOutcome.New));
        else test.Session.Receive(1, Success);
        await test.FlushAsync();
        // A mark carries no data: the store may pass over it, but no PUBREL leaves.
        Assert.Equal(["PUBLISH 1 1", "close 8E"], test.Pipe.Sent);
        Assert.Equal(1, fenced);
        Assert.False(test.Session.TryEnqueue(TestMessage.On("a"), SessionFixture.Matched, null, null));
    }

    [Fact]
    public async Task ConnectionIsClosed_WhenItComesToASessionThatHasGone()
    {
        await using var test = await SessionFixture.OpenAsync();
        test.Session.Close(ReasonCode.ServerShuttingDown);
        test.Session.Attach(test.Pipe);
        Assert.Equal(["close 8E"], test.Pipe.Sent);
    }

    [Fact]
    public async Task NothingIsSent_WhenDetached()
    {
        await using var test = await SessionFixture.OpenAsync();
        test.Session.Attach(test.Pipe);
        test.Session.Detach(new RecordingPipe()); // not this session's: nothing happens
        await test.Send("1", Qos.AtLeastOnce);
        test.Session.Detach(test.Pipe);
        await test.Send("2", Qos.AtLeastOnce);
        await test.Send("3", Qos.ExactlyOnce);
        Assert.Equal(["PUBLISH 1 1"], test.Pipe.Sent);
        var second = new RecordingPipe();
        test.Session.Attach(second);
        Assert.Equal(["PUBLISH 1 1 dup", "PUBLISH 2 2", "PUBLISH 3 3"], second.Sent);
    }
}
