namespace Broker.Gateway.Cli;

/// <summary>Says on a terminal that something takes its time, and how long it has taken.</summary>
internal sealed class Progress : IDisposable
{
    private readonly CtlConsole console;
    private readonly string what;
    private readonly long began = TimeProvider.System.GetTimestamp();
    private readonly ITimer? timer;
    private readonly Lock gate = new();
    private bool isShown, isOver;

    public Progress(CtlConsole console, string what)
    {
        (this.console, this.what) = (console, what);
        if (console.IsTerminal && !Console.IsErrorRedirected) timer = TimeProvider.System.CreateTimer(_ => Show(), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
    }

    /// <summary>What comes next is written on a clean line.</summary>
    public void Stop()
    {
        timer?.Dispose();
        lock (gate)
        {
            isOver = true;
            if (isShown) console.Error.Write("\r\u001b[K");
            isShown = false;
        }
    }

    public void Dispose() => Stop();

    private void Show()
    {
        lock (gate)
        {
            if (isOver) return;
            isShown = true;
            console.Error.Write($"\r{what}: {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0} s\u001b[K");
        }
    }
}
