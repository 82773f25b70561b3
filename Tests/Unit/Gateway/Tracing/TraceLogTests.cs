using Broker.Gateway.Tracing;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Tests.Unit.Gateway.Tracing;

/// <summary>A trace's file: whole lines, in order, up to its bounds.</summary>
public sealed class TraceLogTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly Trace Trace = new(TraceKind.ClientId, "c", 0, 1, "0");
    private readonly string folder = Directory.CreateTempSubdirectory("broker-trace-").FullName;

    private string File => Path.Combine(folder, "made", "one.log");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task LinesAreInTheFile_InOrder_AndAddedToWhenItGoesOn()
    {
        for (var run = 0; run < 2; run++)
        {
            var log = Open(1_000_000);
            for (var line = 0; line < 5000; line++) log.Add($"{run}-{line}");
            await CloseAsync(log);
            Assert.Equal(0, log.Dropped);
        }

        Assert.Equal(Enumerable.Range(0, 2).SelectMany(run => Enumerable.Range(0, 5000).Select(line => $"{run}-{line}")), await System.IO.File.ReadAllLinesAsync(File));
    }

    [Fact]
    public async Task WhatDoesNotFitIsCounted_WhenTheFileIsFull()
    {
        var log = Open(10_000);
        for (var line = 0; line < 1000; line++) log.Add($"{line:D4}{new string('x', 95)}");
        await CloseAsync(log);
        log.Add("after the end");
        var lines = await System.IO.File.ReadAllLinesAsync(File);
        Assert.InRange(new FileInfo(File).Length, 0, 11_000);
        Assert.EndsWith("the file is full", lines[^1], StringComparison.Ordinal);
        Assert.Equal(1001 - (lines.Length - 1), log.Dropped);
    }

    [Fact]
    public async Task NothingWaits_AndTheRestIsCounted_WhenTheDiskIsTooSlow()
    {
        // A pipe that nobody reads takes no more than a little.
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        using (var maker = System.Diagnostics.Process.Start("mkfifo", File)) await maker.WaitForExitAsync(TestContext.Current.CancellationToken);
        var log = Open(1_000_000_000);
        for (var line = 0; line < 100; line++) log.Add(new string('x', 100_000));
        Assert.InRange(log.Dropped, 50, 99);
        await using (var reader = new FileStream(File, FileMode.Open, FileAccess.Read))
        {
            log.Close();
            await reader.CopyToAsync(Stream.Null, TestContext.Current.CancellationToken);
        }

        await log.Written.WaitAsync(Deadline, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task EverythingIsCounted_WhenTheFileCannotBeWritten()
    {
        await System.IO.File.WriteAllTextAsync(Path.Combine(folder, "made"), "no folder", TestContext.Current.CancellationToken);
        var log = Open(10_000);
        log.Add("x");
        log.Add("y");
        await CloseAsync(log);
        Assert.Equal(2, log.Dropped);
    }

    [Fact]
    public async Task FileIsGone_WhenItsTraceIsRemoved()
    {
        var log = Open(10_000);
        log.Add("x");
        log.Close(remove: true);
        await log.Written.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.False(System.IO.File.Exists(File));
    }

    private TraceLog Open(long maxBytes) => new(Trace, File, maxBytes, TimeProvider.System, NullLogger.Instance);

    private static async Task CloseAsync(TraceLog log)
    {
        log.Close();
        await log.Written.WaitAsync(Deadline, TestContext.Current.CancellationToken);
    }
}
