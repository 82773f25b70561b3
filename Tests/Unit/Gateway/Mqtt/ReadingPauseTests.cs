using Broker.Gateway.Links;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Mqtt;

public class ReadingPauseTests
{
    private readonly GatewayFixture gateway = new();

    [Fact]
    public void ReadingGoesOn_WhenEveryReasonHasEnded()
    {
        var (connection, peer) = gateway.Connect(new RecordingSession());
        Assert.True(peer.Channel.Configuration.AutoRead);
        connection.Reading.Begin();
        connection.Reading.Begin();
        Assert.False(peer.Channel.Configuration.AutoRead);
        connection.Reading.End();
        Assert.True(connection.Reading.IsPaused);
        Assert.False(peer.Channel.Configuration.AutoRead);
        connection.Reading.End();
        Assert.False(connection.Reading.IsPaused);
        Assert.True(peer.Channel.Configuration.AutoRead);
    }

    [Fact]
    public void ReadingStaysPaused_WhenWhatWasReadAlreadyPausesAgain()
    {
        var session = new RecordingSession();
        var (connection, peer) = gateway.Connect(session);
        session.OnAcknowledge = _ => connection.Reading.Begin();
        connection.Reading.Begin();
        peer.Send([0x40, 2, 0, 1, 0x40, 2, 0, 2]);
        Assert.Empty(session.Acknowledged);
        connection.Reading.End();
        Assert.Equal<ushort>([1], session.Acknowledged);
        Assert.False(peer.Channel.Configuration.AutoRead);
        session.OnAcknowledge = null;
        connection.Reading.End();
        Assert.Equal<ushort>([1, 2], session.Acknowledged);
        Assert.True(peer.Channel.Configuration.AutoRead);
    }

    [Fact]
    public void ReadingGoesOnOnTheLoop_WhenSomebodyHasCaughtUpOnAnyThread()
    {
        var behind = new Behind();
        var (connection, _) = gateway.Connect(new RecordingSession());
        connection.Reading.WaitFor(behind);
        Assert.True(connection.Reading.IsPaused);
        var other = new Thread(() => behind.Callback!());
        other.Start();
        other.Join();
        Assert.True(connection.Reading.IsPaused);
        gateway.Manual.RunAll();
        Assert.False(connection.Reading.IsPaused);
    }

    [Fact]
    public void OnlyTheConnectionEnds_WhenWorkFails()
    {
        var session = new RecordingSession();
        var (connection, _) = gateway.Connect(session);
        var work = new TaskCompletionSource();
        var running = connection.Reading.RunAsync(() => new ValueTask(work.Task));
        Assert.True(connection.Reading.IsPaused);
        work.SetException(new InvalidOperationException());
        Assert.True(running.IsCompletedSuccessfully);
        Assert.True(connection.IsEnding);
        Assert.True(session.IsClosed);
    }

    [Fact]
    public void NothingIsPaused_WhenWorkIsDoneAtOnce()
    {
        var (connection, _) = gateway.Connect(new RecordingSession());
        Assert.True(connection.Reading.RunAsync(() => ValueTask.CompletedTask).IsCompletedSuccessfully);
        Assert.False(connection.Reading.IsPaused);
    }

    private sealed class Behind : ICongestion
    {
        public Action? Callback { get; private set; }

        public void WhenRoom(Action callback) => Callback = callback;
    }
}
