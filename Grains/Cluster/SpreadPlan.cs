namespace Broker.Grains.Cluster;

/// <summary>Which silo is to hold which number: evenly, within one, and with as few moves as that takes.</summary>
internal static class SpreadPlan
{
    /// <summary>Plans.</summary>
    /// <param name="count">How many numbers there are, from 0.</param>
    /// <param name="silos">The silos that take grains; at least one, in an order all processes agree on.</param>
    /// <param name="now">Where numbers are; those missing, or at another silo, have to be placed.</param>
    /// <returns>The silo of each number.</returns>
    public static SiloAddress[] Make(int count, IReadOnlyList<SiloAddress> silos, IReadOnlyDictionary<int, SiloAddress> now)
    {
        var (share, extra) = Math.DivRem(count, silos.Count);
        var held = silos.ToDictionary(silo => silo, _ => new List<int>());
        var homeless = new Queue<int>();
        for (var number = 0; number < count; number++)
        {
            if (now.TryGetValue(number, out var silo) && held.TryGetValue(silo, out var numbers)) numbers.Add(number);
            else homeless.Enqueue(number);
        }

        // Who holds most keeps one more than the others, as long as there are such.
        var room = new Dictionary<SiloAddress, int>();
        foreach (var silo in silos.OrderByDescending(silo => held[silo].Count))
        {
            var most = share + (extra-- > 0 ? 1 : 0);
            var numbers = held[silo];
            for (var at = most; at < numbers.Count; at++) homeless.Enqueue(numbers[at]);
            if (numbers.Count > most) numbers.RemoveRange(most, numbers.Count - most);
            room[silo] = most - numbers.Count;
        }

        var plan = new SiloAddress[count];
        foreach (var (silo, numbers) in held)
        {
            foreach (var number in numbers) plan[number] = silo;
        }

        foreach (var silo in silos)
        {
            for (var free = room[silo]; free > 0; free--) plan[homeless.Dequeue()] = silo;
        }

        return plan;
    }
}
