using Broker.Gateway.Links;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Links;

public class LoopMailboxTests
{
    private const int Full = 16_384;
    private readonly GatewayFixture gateway = new();
    private readonly Recorder box = new();

    private LoopMailbox Mailbox => gateway.Loop.Mailbox;

    [Fact]
    public void LettersAreOpenedInOrderWithOneWakeUp_WhenManyComeMeanwhile()
    {
        Mailbox.Post(new Letter(box, 1));
        Mailbox.Post([new Letter(box, 2), new Letter(box, 3)]);
        Mailbox.Post(new Letter(box, 4));
        Assert.Equal(1, gateway.Manual.Waiting);
        Assert.Empty(box.Opened);
        gateway.Manual.RunAll();
        Assert.Equal([1, 2, 3, 4], box.Opened);
        Mailbox.Post([new Letter(box, 5)]);
        Assert.Equal(1, gateway.Manual.Waiting);
        gateway.Manual.RunAll();
        Assert.Equal([1, 2, 3, 4, 5], box.Opened);
    }

    [Fact]
    public void LettersAreOpenedNextTime_WhenPostedByALetter()
    {
        box.OnOpen = kind =>
        {
            if (kind < 3) Mailbox.Post(new Letter(box, kind + 1));
        };
        Mailbox.Post(new Letter(box, 1));
        gateway.Manual.RunOne();
        Assert.Equal([1], box.Opened);
        gateway.Manual.RunAll();
        Assert.Equal([1, 2, 3], box.Opened);
    }

    [Fact]
    public void NobodyIsTold_WhenTheLoopHasEnded()
    {
        gateway.Manual.HasEnded = true;
        Mailbox.Post(new Letter(box, 1));
        Mailbox.Post([new Letter(box, 2)]);
        Mailbox.WhenRoom(() => Assert.Fail("nobody runs this"));
        Assert.Empty(box.Opened);
    }

    [Fact]
    public async Task EachThreadKeepsItsOrder_WhenSeveralPost()
    {
        const int Each = 5000;
        await Task.WhenAll(Enumerable.Range(0, 3).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < Each; i++) Mailbox.Post(new Letter(box, (thread * Each) + i));
        })));
        Assert.Equal(1, gateway.Manual.Waiting);
        gateway.Manual.RunAll();
        Assert.Equal(3 * Each, box.Opened.Count);
        for (var thread = 0; thread < 3; thread++)
        {
            Assert.Equal(Enumerable.Range(thread * Each, Each), box.Opened.Where(kind => kind / Each == thread));
        }
    }

    [Fact]
    public void SendersGoOnWhenItHasBeenEmptied_WhenItWasFull()
    {
        var wentOn = new List<int>();
        Mailbox.Post([.. Enumerable.Range(0, Full - 1).Select(i => new Letter(box, i))]);
        Assert.False(Mailbox.IsFull);
        Mailbox.Post(new Letter(box, Full - 1));
        Assert.True(Mailbox.IsFull);
        Mailbox.WhenRoom(() => wentOn.Add(box.Opened.Count));
        Mailbox.WhenRoom(() => wentOn.Add(-1));
        Assert.Empty(wentOn);
        gateway.Manual.RunAll();
        Assert.False(Mailbox.IsFull);
        Assert.Equal([Full, -1], wentOn);
        Mailbox.WhenRoom(() => wentOn.Add(7)); // nothing waits: still called back, but not inside
        Assert.Equal(2, wentOn.Count);
        gateway.Manual.RunAll();
        Assert.Equal([Full, -1, 7], wentOn);
    }

    [Fact]
    public void PublisherIsToldToWait_WhenAnotherLoopCannotKeepUp()
    {
        var two = new GatewayFixture(loops: 2);
        two.Open("there", loop: 1).Subscribe("a");
        for (var i = 1; i < Full; i++) two.Publish(TestMessage.On("a"));
        Assert.Null(two.Loop.Congested);
        two.Publish(TestMessage.On("a"));
        Assert.Same(two.Loops.All[1].Mailbox, two.Loop.Congested);
    }

    [Fact]
    public void OthersAreOpenedOnce_WhenALetterThrows()
    {
        var wentOn = false;
        box.OnOpen = kind =>
        {
            if (kind == 2) throw new InvalidOperationException();
        };
        Mailbox.Post([new Letter(box, 1), new Letter(box, 2), new Letter(box, 3)]);
        Mailbox.WhenRoom(() => wentOn = true);
        Assert.Throws<InvalidOperationException>(gateway.Manual.RunOne);
        Assert.True(wentOn);
        Mailbox.Post(new Letter(box, 4));
        gateway.Manual.RunAll();
        Assert.Equal([1, 2, 3, 4], box.Opened);
        Mailbox.Post(new Letter(box, 5));
        gateway.Manual.RunAll();
        Assert.Equal([1, 2, 3, 4, 5], box.Opened);
    }

    private sealed class Recorder : ILetterBox
    {
        public List<int> Opened { get; } = [];

        public Action<int>? OnOpen { get; set; }

        public void Open(in Letter letter)
        {
            Opened.Add(letter.Kind);
            OnOpen?.Invoke(letter.Kind);
        }
    }
}
