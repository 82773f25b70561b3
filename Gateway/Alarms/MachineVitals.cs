using System.Diagnostics;
using Broker.Gateway.Admin;

namespace Broker.Gateway.Alarms;

/// <inheritdoc/>
/// <remarks>Of the container where there is one with limits, else of the machine.</remarks>
internal sealed class MachineVitals(TimeProvider time) : IVitals
{
    private readonly ControlGroup group = new();
    private readonly SystemLoad machine = new();
    private (long UsedUs, long At)? lastCpu;

    public double ReadCpu()
    {
        if (group.Cpu() is not var (processors, usedUs)) return machine.ReadCpu();
        var (before, now) = (lastCpu, time.GetTimestamp());
        lastCpu = (usedUs, now);
        return before is { } last ? Share(usedUs - last.UsedUs, processors * time.GetElapsedTime(last.At, now).TotalMicroseconds) : 0;
    }

    public double ReadSystemMemory()
    {
        var (total, used) = SystemLoad.ReadMemory();
        var ofMachine = Share(used, total);
        return group.Memory() is { } own ? Math.Max(ofMachine, Share(own.Used, own.Limit)) : ofMachine;
    }

    public double ReadProcessMemory()
    {
        var (total, _) = SystemLoad.ReadMemory();
        return Share(Environment.WorkingSet, group.Memory() is { } own ? Math.Min(own.Limit, total) : total);
    }

    public double ReadThreads()
    {
        ThreadPool.GetMaxThreads(out var most, out _);
        var ofPool = Share(ThreadPool.ThreadCount, most);
        if (group.Tasks() is not { } allowed) return ofPool;
        using var self = Process.GetCurrentProcess();
        return Math.Max(ofPool, Share(Math.Max(allowed.Used, self.Threads.Count), allowed.Limit));
    }

    private static double Share(double used, double all) => all > 0 ? Math.Clamp(100 * used / all, 0, 100) : 0;
}
