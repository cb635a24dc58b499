// The browser's share of the demo page: clicks to the server, LED dots, papers and sound from it.
(() => {
  const strips = new Map();
  // Bit 0 red, bit 1 green, bit 2 blue; 0 is a dark LED.
  const COLOURS = ["#22262a", "#ff3b2e", "#37d65c", "#ffc531", "#4a74ff", "#ff55e0", "#35e0e8", "#ffffff"];

  const send = (act, arg) => emitEvent("act", { act, arg: arg ?? "" });

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-act]");
    if (target && !target.disabled && target.tagName !== "INPUT") send(target.dataset.act, target.dataset.arg);
  });
  document.addEventListener("input", (event) => {
    const output = event.target.dataset.out && document.getElementById(event.target.dataset.out);
    if (output) output.textContent = speedOf(event.target.value) + "×";
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "sound-on") paihao.sound(event.target.checked);
    if (event.target.matches("input[data-act]")) send(event.target.dataset.act, speedOf(event.target.value));
  });
  // The slider goes evenly through 1 … 200 times.
  const speedOf = (value) => {
    const speed = Math.pow(200, value / 100);
    return String(speed < 10 ? Math.round(speed) : Math.round(speed / 5) * 5);
  };

  document.addEventListener("dragstart", (event) => {
    const card = event.target.closest("[data-card]");
    if (card) event.dataTransfer.setData("text/plain", card.dataset.card);
  });
  document.addEventListener("dragover", (event) => {
    const pad = event.target.closest("[data-drop]");
    if (pad) { event.preventDefault(); pad.classList.add("over"); }
  });
  document.addEventListener("dragleave", (event) => event.target.closest?.("[data-drop]")?.classList.remove("over"));
  document.addEventListener("drop", (event) => {
    const pad = event.target.closest("[data-drop]");
    if (!pad) return;
    event.preventDefault();
    pad.classList.remove("over");
    send(pad.dataset.drop, event.dataTransfer.getData("text/plain"));
  });

  // A sheet of all dots in one state is drawn once; a frame copies the visible part of it.
  function sheetOf(strip) {
    const { width, height, dots, pitch } = strip;
    const sheet = document.createElement("canvas");
    sheet.width = width * pitch;
    sheet.height = height * pitch;
    const pen = sheet.getContext("2d");
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const colour = dots[y * width + x];
        const cx = (x + 0.5) * pitch, cy = (y + 0.5) * pitch;
        if (colour) {
          pen.fillStyle = COLOURS[colour] + "44";
          pen.beginPath(); pen.arc(cx, cy, pitch * 0.62, 0, 7); pen.fill();
        }
        pen.fillStyle = COLOURS[colour];
        pen.beginPath(); pen.arc(cx, cy, pitch * 0.4, 0, 7); pen.fill();
      }
    }
    return sheet;
  }

  function drawFrame(strip, now) {
    const canvas = document.getElementById(strip.id);
    if (!canvas || strips.get(strip.id) !== strip) return;
    const pen = canvas.getContext("2d");
    const { pitch, view } = strip;
    pen.fillStyle = "#0b0d0f";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    if (strip.blink) {
      const lit = Math.floor((now - strip.began) / strip.blink) % 2 === 0;
      pen.drawImage(lit ? strip.sheet : strip.dark, 0, 0);
      setTimeout(() => requestAnimationFrame((at) => drawFrame(strip, at)), strip.blink / 2);
      return;
    }
    if (!strip.speed) {
      pen.drawImage(strip.sheet, 0, 0);
      return;
    }
    const span = strip.sheet.width;
    const offset = (Math.floor(((now - strip.began) / 1000) * strip.speed) * pitch) % span;
    for (let x = -offset; x < view * pitch; x += span) pen.drawImage(strip.sheet, x, 0);
    // Dots of a strip move one place at a time: no more frames than places.
    setTimeout(() => requestAnimationFrame((at) => drawFrame(strip, at)), Math.max(30, 1000 / strip.speed));
  }

  // Two different characters that look the same are boxes: this machine has no Chinese font.
  function lacksChinese() {
    const pen = Object.assign(document.createElement("canvas"), { width: 40, height: 40 })
      .getContext("2d", { willReadFrequently: true });
    const look = (char) => {
      pen.clearRect(0, 0, 40, 40);
      pen.font = "30px sans-serif";
      pen.fillText(char, 4, 32);
      return pen.getImageData(0, 0, 40, 40).data.join();
    };
    return look("号") === look("窗");
  }
  if (lacksChinese()) {
    new FontFace("Paihao CJK", "url(/font/sc.otf)").load().then((font) => {
      document.fonts.add(font);
      document.documentElement.classList.add("own-font");
    });
  }

  // A screen program's window: its picture, and touches as parts of its width and height.
  const touch = (what, event) => {
    const glass = event.target.closest?.("[data-pane]");
    if (!glass) return;
    const box = glass.getBoundingClientRect();
    const part = (at, from, size) => Math.min(1, Math.max(0, (at - from) / size)).toFixed(4);
    const x = part(event.clientX, box.left, box.width), y = part(event.clientY, box.top, box.height);
    send("pane." + what, [glass.dataset.pane, x, y].join(","));
  };
  document.addEventListener("pointerdown", (event) => {
    touch("down", event);
    if (event.target.closest?.("[data-pane]")) event.target.setPointerCapture?.(event.pointerId);
  });
  document.addEventListener("pointerup", (event) => touch("up", event));

  // A paper is looked at closely with a click, and laid away with another.
  document.addEventListener("click", (event) => {
    const paper = event.target.closest(".papers img");
    const shown = document.getElementById("closer");
    if (shown) shown.remove();
    else if (paper) {
      const closer = Object.assign(document.createElement("div"), { id: "closer" });
      closer.append(Object.assign(document.createElement("img"), { src: paper.src }));
      document.body.append(closer);
    }
  });

  window.paihao = {
    // view: dots across the strip; width: of the bitmap, wider when it scrolls; speed: dots a second;
    // blink: milliseconds lit and dark in turn, 0 = always lit.
    strip(id, view, width, height, data, speed, blink) {
      const canvas = document.getElementById(id);
      if (!canvas) return;
      const bytes = atob(data);
      const dots = new Uint8Array(width * height);
      for (let i = 0; i < dots.length; i++) dots[i] = bytes.charCodeAt(i) & 7;
      const pitch = view > 160 ? 4 : 6;
      if (canvas.width !== view * pitch || canvas.height !== height * pitch) {
        canvas.width = view * pitch;
        canvas.height = height * pitch;
      }
      const strip = { id, view, width, height, dots, speed, blink, pitch, began: performance.now() };
      strip.sheet = sheetOf(strip);
      if (blink) strip.dark = sheetOf({ ...strip, dots: new Uint8Array(dots.length) });
      strips.set(id, strip);
      drawFrame(strip, strip.began);
    },
    // The old picture stands until the new one is there. What can be touched lies over it as links for keys
    // and readers; a finger goes through them to the glass.
    pane(name, url, targets) {
      const glass = document.querySelector(`[data-pane="${name}"]`);
      if (!glass) return;
      const next = new Image();
      next.onload = () => {
        glass.src = next.src;
        glass.parentElement.querySelectorAll("button").forEach((old) => old.remove());
        for (const [x, y, wide, high, action, label] of targets) {
          const key = document.createElement("button");
          key.dataset.target = action;
          key.ariaLabel = label;
          key.style.left = (100 * x) / next.width + "%";
          key.style.top = (100 * y) / next.height + "%";
          key.style.width = (100 * wide) / next.width + "%";
          key.style.height = (100 * high) / next.height + "%";
          key.onclick = () => {
            const at = [name, (x + wide / 2) / next.width, (y + high / 2) / next.height].join(",");
            send("pane.down", at);
            send("pane.up", at);
          };
          glass.parentElement.append(key);
        }
      };
      next.src = url;
    },
    play(url) {
      const audio = document.getElementById("sound");
      if (!audio) return;
      audio.src = url;
      if (audio.dataset.on === "1") audio.play().catch(() => {});
    },
    sound(on) {
      const audio = document.getElementById("sound");
      if (!audio) return;
      audio.dataset.on = on ? "1" : "0";
      if (on && audio.src) audio.play().catch(() => {});
      if (!on) audio.pause();
    },
  };
})();
